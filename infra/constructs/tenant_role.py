"""IAM role restricted to one tenant's rows, so that DynamoDB denies access that a bug in a repository would allow."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from repositories.aws.tenant_client import TAG
from repositories.dynamodb.iam_actions import IamAction
from repositories.dynamodb.keys import tenant_prefix

TENANT = f"${{aws:PrincipalTag/{TAG}}}"
"""The caller's tenant, in a condition."""


def on_rows_of(tenant: str, statements: Iterable[iam.PolicyStatement], reads: str = "", writes: str = "") -> None:
    """Restrict statements to the rows of a tenant; with `reads`, to those with this prefix and new events.

    With `writes`, puts are restricted to rows with this prefix and new events.
    """
    changed = writes or reads
    for statement in statements:
        prefixes = [changed, "EVENT"] if changed and statement.actions == [IamAction.PUT.value] else [reads]
        keys = [f"{tenant_prefix(tenant)}{prefix}*" for prefix in prefixes]
        statement.add_condition("ForAllValues:StringLike", {"dynamodb:LeadingKeys": keys})


class TenantRole(Construct):
    """Role that a function assumes, with a session tag for the caller's tenant, before it accesses the table.

    `allows` must be restricted to the tenant's rows (`on_rows_of`).

    Within an account, the trust policy suffices to assume a role (IAM user guide, "Granting a user permissions to
    switch roles").
    """

    def __init__(
        self,
        scope: Construct,
        *,
        taken_by: iam.Role,
        allows: Sequence[iam.PolicyStatement],
    ) -> None:
        super().__init__(scope, "TenantRole")
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.SessionTagsPrincipal(iam.ArnPrincipal(taken_by.role_arn)).with_conditions(
                {"StringLike": {f"aws:RequestTag/{TAG}": "?*"}}
            ),
            inline_policies={"Tenant": iam.PolicyDocument(statements=[*allows])},
        )
