"""Permissions of a function's role: exactly the IAM actions that the function declares."""

from dataclasses import dataclass

from aws_cdk import ArnFormat, Names, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from handlers.registry import RouteFunction, TriggerFunction
from infra.constructs.data import Data
from infra.constructs.identity import Identity
from infra.constructs.tenant_role import on_rows_of
from infra.nag import acknowledge
from infra.stages import Stage
from repositories.dynamodb.iam_actions import IamAction
from repositories.dynamodb.keys import usage
from repositories.exports import keys as export_keys

_SECRET_ACTIONS = {
    IamAction.LIST: ["secretsmanager:GetSecretValue"],
    IamAction.LIST_BELOW: ["secretsmanager:GetSecretValue"],
    IamAction.SIGN: ["secretsmanager:GetSecretValue"],
    IamAction.ROTATE: [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ],
}

_PROVIDER_SECRET_ACTIONS = {
    IamAction.PROVIDER_SECRETS: ["secretsmanager:GetSecretValue"],
    IamAction.SET_PROVIDER_SECRETS: [
        "secretsmanager:CreateSecret",
        "secretsmanager:DeleteSecret",
        "secretsmanager:PutSecretValue",
    ],
}

_FILE_ACTIONS = {IamAction.READ_EXPORTS: "s3:GetObject", IamAction.WRITE_EXPORTS: "s3:PutObject"}

_INDEX_ACTIONS = {
    IamAction.LIST: ["dynamodb:Query"],
    IamAction.LIST_BELOW: ["dynamodb:Query"],
    IamAction.DUE: ["dynamodb:Query"],
    IamAction.WALK: ["dynamodb:Query"],
}


NEEDS_PROVIDERS = frozenset(_PROVIDER_SECRET_ACTIONS)
"""Actions of functions that need credentials for payment providers."""
NEEDS_FILES = frozenset(_FILE_ACTIONS)
"""Actions of functions that need the files of exports."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """Permissions of a function in a stage. `tenant` is the tenant whose things it reaches, or `*`."""

    scope: Construct
    function: RouteFunction | TriggerFunction
    stage: Stage
    data: Data
    tenant: str

    def of_tenant(self) -> list[iam.PolicyStatement]:
        """Return the permissions on what tenants have: rows, credentials and files."""
        function, data, tenant = self.function, self.data, self.tenant
        on_table = _table_statements(function, data)
        if tenant != "*" or _reads(function) or _writes(function):
            on_rows_of(tenant, on_table, _reads(function), _writes(function))
        counting = []
        if self.stage.tenant_concurrency and IamAction.COUNT in function.iam_actions:
            counting.append(_usage_statement(data, tenant))
        secrets = _provider_secrets(self.scope, function, self.stage, tenant)
        return [*on_table, *counting, *secrets, *_files(function, data, tenant)]

    def elsewhere(self, identity: Identity) -> list[iam.PolicyStatement]:
        """Return the permissions on the user pool and on keys."""
        return _statements(self.function.iam_actions, self.data, identity)

    def acknowledge_in(self, role: iam.Role) -> None:
        """Acknowledge the wildcards in the role that has the permissions on what tenants have."""
        tenant = self.tenant.replace("${", "<").replace("}", ">")
        if NEEDS_PROVIDERS & self.function.iam_actions:
            names = f"secret:{provider_secrets(self.stage)}{tenant}/*"
            arn = f"arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:{names}"
            why = "Secrets of payment providers, which tenants add: those of a tenant, or of all for sweeps"
            acknowledge(role, f"AwsSolutions-IAM5[Resource::{arn}]", why)
        if NEEDS_FILES & self.function.iam_actions:
            resource = self.data.export_bucket.node.default_child
            name = Names.node_unique_id(resource.node) if resource else ""
            arn = f"<referenceto{name}Arn>/exports/{tenant}/*"
            acknowledge(
                role, f"AwsSolutions-IAM5[Resource::{arn}]", "Files of exports, whose names nothing knows before"
            )


def _statements(access: frozenset[IamAction], data: Data, identity: Identity) -> list[iam.PolicyStatement]:
    """Return the policy statements for services other than DynamoDB."""
    found = []
    on_pool = sorted(each.value for each in access if each.service == "cognito-idp")
    if on_pool:
        found.append(iam.PolicyStatement(actions=on_pool, resources=[identity.pool.user_pool_arn]))
    for need, actions in _SECRET_ACTIONS.items():
        if need in access:
            found.append(iam.PolicyStatement(actions=actions, resources=[data.cursor_secret.secret_arn]))
    if IamAction.SIGN_WEBHOOKS in access:
        reading = ["secretsmanager:GetSecretValue"]
        found.append(iam.PolicyStatement(actions=reading, resources=[data.webhook_secret.secret_arn]))
    return found


def _provider_secrets(
    scope: Construct, function: RouteFunction | TriggerFunction, stage: Stage, tenant: str
) -> list[iam.PolicyStatement]:
    """Return the permissions on a tenant's credentials for payment providers, by the names of their secrets."""
    actions = [
        each for need, found in _PROVIDER_SECRET_ACTIONS.items() if need in function.iam_actions for each in found
    ]
    if not actions:
        return []
    name = f"{provider_secrets(stage)}{tenant}/*"
    arn = Stack.of(scope).format_arn(
        service="secretsmanager", resource="secret", resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    return [iam.PolicyStatement(actions=actions, resources=[arn])]


def _files(function: RouteFunction | TriggerFunction, data: Data, tenant: str) -> list[iam.PolicyStatement]:
    """Return the permissions on the files of a tenant's exports."""
    actions = [action for need, action in _FILE_ACTIONS.items() if need in function.iam_actions]
    files = data.export_bucket.arn_for_objects(export_keys.object_name(tenant, "*", "").rstrip("/"))
    return [iam.PolicyStatement(actions=actions, resources=[files])] if actions else []


def provider_secrets(stage: Stage) -> str:
    """Return the beginning of the names of secrets with tenants' credentials for payment providers."""
    return f"tradepost/{stage.name}/"


def _reads(function: RouteFunction | TriggerFunction) -> str:
    """Return the prefix of the keys to which a function is restricted; empty if it is not."""
    return function.trigger.reads if isinstance(function, TriggerFunction) else ""


def _writes(function: RouteFunction | TriggerFunction) -> str:
    """Return the prefix of the keys of rows that a function changes; empty if it changes all that it reads."""
    return function.trigger.writes if isinstance(function, TriggerFunction) else ""


def _table_statements(function: RouteFunction | TriggerFunction, data: Data) -> list[iam.PolicyStatement]:
    access = function.iam_actions
    on_rows = sorted(each.value for each in access if each.service == "dynamodb")
    apart = [IamAction.PUT.value] if _reads(function) or _writes(function) else []
    found = [
        iam.PolicyStatement(actions=actions, resources=[data.table.table_arn])
        for actions in ([each for each in on_rows if each not in apart], apart)
        if actions
    ]
    for index, actions in _INDEX_ACTIONS.items():
        if index in access:
            arn = f"{data.table.table_arn}/index/{index.on_index}"
            found.append(iam.PolicyStatement(actions=actions, resources=[arn]))
    return found


def _usage_statement(data: Data, tenant: str) -> iam.PolicyStatement:
    """Return the permission to count a tenant's function time, in rows that hold nothing else."""
    return iam.PolicyStatement(
        actions=["dynamodb:PutItem", "dynamodb:UpdateItem"],
        resources=[data.table.table_arn],
        conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [usage(tenant, 0).pk]}},
    )
