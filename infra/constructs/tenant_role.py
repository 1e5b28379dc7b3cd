"""IAM role restricted to one tenant's rows, so that DynamoDB denies access that a bug in a repository would allow."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from repositories.aws.tenant_client import TAG
from repositories.dynamodb.keys import tenant_prefix

TENANT = f"${{aws:PrincipalTag/{TAG}}}"
"""The caller's tenant, in a condition."""


class TenantRole(Construct):
    """Role that a function assumes, with a session tag for the caller's tenant, before it accesses the table.

    It allows `allows` on the tenant's rows only, and `also` as it is.

    Within an account, the trust policy suffices to assume a role (IAM user guide, "Granting a user permissions to
    switch roles").
    """

    def __init__(
        self,
        scope: Construct,
        *,
        taken_by: iam.Role,
        allows: Sequence[iam.PolicyStatement],
        also: Sequence[iam.PolicyStatement],
    ) -> None:
        super().__init__(scope, "TenantRole")
        keys = tenant_prefix(TENANT) + "*"
        for statement in allows:
            statement.add_condition("ForAllValues:StringLike", {"dynamodb:LeadingKeys": [keys]})
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.SessionTagsPrincipal(iam.ArnPrincipal(taken_by.role_arn)).with_conditions(
                {"StringLike": {f"aws:RequestTag/{TAG}": "?*"}}
            ),
            inline_policies={"Tenant": iam.PolicyDocument(statements=[*allows, *also])},
        )
