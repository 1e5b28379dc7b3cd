"""A role that reaches one tenant's rows: DynamoDB refuses what a mistake in a repository would let through."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from repositories.aws.tenant_client import TAG
from repositories.dynamodb.keys import tenant_prefix


class TenantRole(Construct):
    """The role that a function takes, tagged with its caller's tenant, before it touches the table.

    Within an account, being named in a role's trust policy is all that taking it needs (IAM user guide, "Granting a
    user permissions to switch roles").
    """

    def __init__(self, scope: Construct, *, taken_by: iam.Role, allows: Sequence[iam.PolicyStatement]) -> None:
        super().__init__(scope, "Fence")
        keys = tenant_prefix(f"${{aws:PrincipalTag/{TAG}}}") + "*"
        for statement in allows:
            statement.add_condition("ForAllValues:StringLike", {"dynamodb:LeadingKeys": [keys]})
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.SessionTagsPrincipal(iam.ArnPrincipal(taken_by.role_arn)).with_conditions(
                {"StringLike": {f"aws:RequestTag/{TAG}": "?*"}}
            ),
            inline_policies={"Tenant": iam.PolicyDocument(statements=allows)},
        )
