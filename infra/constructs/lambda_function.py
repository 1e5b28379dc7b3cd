"""Lambda function of a handler module, with a role that grants exactly the IAM actions that the module uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from domain.identity.permissions import Permission
from handlers.http.declaration import SIGNED
from handlers.invocations.trigger import TriggerSource
from handlers.registry import RouteFunction, TriggerFunction
from infra.constructs.data import Data
from infra.constructs.identity import Identity
from infra.constructs.queues import Queues
from infra.constructs.releases import Releases
from infra.constructs.tenant_role import TENANT, TenantRole, on_rows_of
from infra.nag import acknowledge
from infra.naming import function_name, set_logical_id
from infra.stages import Stage
from repositories.aws import settings
from repositories.dynamodb.iam_actions import IamAction
from repositories.dynamodb.keys import usage

MEMORY_MB = 512
TIMEOUT = Duration.seconds(20)

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

_PAYPAL_SANDBOX = "https://api-m.sandbox.paypal.com"
"""Address of the API of PayPal's sandbox (PayPal REST API reference, "API requests")."""
_PROVIDER_SECRET_ACTIONS = {
    IamAction.PROVIDER_SECRETS: ["secretsmanager:GetSecretValue"],
    IamAction.SET_PROVIDER_SECRETS: [
        "secretsmanager:CreateSecret",
        "secretsmanager:DeleteSecret",
        "secretsmanager:PutSecretValue",
    ],
}

_INDEX_ACTIONS = {
    IamAction.LIST: ["dynamodb:Query"],
    IamAction.LIST_BELOW: ["dynamodb:Query"],
    IamAction.DUE: ["dynamodb:Query"],
}


@dataclass(frozen=True, slots=True)
class Shared:
    """What all functions of a stage share."""

    stage: Stage
    data: Data
    identity: Identity
    archive: Path
    """The zip."""
    release: str
    """Digest of what is in the zip, in log lines and in the alarm about errors of a new release."""
    releases: Releases
    queues: Queues


class LambdaFunction(Construct):
    """Lambda function and its role.

    If the stage has `tenant_roles` and callers have a tenant, only a TenantRole grants access to the table.
    `target` is what callers invoke: the function, or the alias of its published version.
    """

    def __init__(
        self,
        scope: Construct,
        function: RouteFunction | TriggerFunction,
        shared: Shared,
        also: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(scope, function.name)
        stage, data, identity, releases = shared.stage, shared.data, shared.identity, shared.releases
        self._logs = releases.logs
        tenant_roles = stage.tenant_roles and _has_tenant(function)
        on_table = _table_statements(function, data)
        if tenant_roles or _reads(function):
            on_rows_of(TENANT if tenant_roles else "*", on_table, _reads(function))
        counting = []
        if stage.tenant_concurrency and IamAction.COUNT in function.iam_actions:
            counting.append(_usage_statement(data, TENANT if tenant_roles else "*"))
        tenant = TENANT if tenant_roles else "*"
        of_tenant = [*on_table, *counting, *_provider_secrets(self, function, stage, tenant)]
        elsewhere = [*_statements(function.iam_actions, data, identity), *also]
        if IamAction.PUBLISH in function.iam_actions:
            elsewhere += shared.queues.publishing()
        self.role = role = self._role(stage, elsewhere if tenant_roles else [*elsewhere, *of_tenant])
        environment = dict(_environment(function, shared))
        if tenant_roles:
            tenant_role = TenantRole(self, taken_by=role, allows=of_tenant)
            environment |= settings.environment(tenant_role=tenant_role.role.role_arn)
            # Lambda's SDK may be one that calls the endpoint in us-east-1 (AWS SDKs guide, "STS regional endpoints").
            environment["AWS_STS_REGIONAL_ENDPOINTS"] = "regional"
            set_logical_id(tenant_role.role, f"{function.name}ScopedRole")
        if {*_PROVIDER_SECRET_ACTIONS} & function.iam_actions:
            reached = tenant_role.role if tenant_roles else role
            shown = f"{provider_secrets(stage)}{tenant.replace('${', '<').replace('}', '>')}/*"
            arn = f"arn:<AWS::Partition>:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:{shown}"
            why = "Secrets of payment providers, which tenants add: those of a tenant, or of all for sweeps"
            acknowledge(reached, f"AwsSolutions-IAM5[Resource::{arn}]", why)
        snap_start = stage.snap_starts(function.name)
        self.function = lambda_.Function(
            self,
            "Function",
            # A fixed name, so that the API and the monitoring stack need no reference to the function.
            function_name=function_name(stage, function),
            description=function.description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.custom(stage.architecture),
            handler=f"{function.module}.handler",
            code=lambda_.Code.from_asset(str(shared.archive)),
            memory_size=MEMORY_MB,
            timeout=TIMEOUT,
            # By ARN: CDK would add permissions such as tracing to the role, and a dependency that its ARN is already.
            role=iam.Role.from_role_arn(self, "OwnRole", role.role_arn, mutable=False),
            log_group=self._logs,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            tracing=lambda_.Tracing.ACTIVE if stage.tracing else lambda_.Tracing.DISABLED,
            environment=environment,
            # The versions before stay, so that an alias can be moved back.
            current_version_options=lambda_.VersionOptions(
                removal_policy=RemovalPolicy.RETAIN if stage.keeps_versions(function.name) else RemovalPolicy.DESTROY
            ),
        )
        acknowledge(self.function, "AwsSolutions-L1", "python3.13 is the version that Tradepost is built and tested on")
        set_logical_id(self.function, function.name)
        set_logical_id(role, f"{function.name}Role")
        self.target: lambda_.IFunction = self.function
        if stage.publishes(function.name) and (snap_start or not _is_hook(function)):
            self.target = releases.alias(self, self.function)

    def _role(self, stage: Stage, statements: list[iam.PolicyStatement]) -> iam.Role:
        own_logs = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self._logs.log_group_arn]
        )
        traces = iam.PolicyStatement(actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources=["*"])
        allowed = [own_logs, *statements, *([traces] if stage.tracing else [])]
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Function": iam.PolicyDocument(statements=allowed)},
        )
        if stage.tracing:
            acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "X-Ray has no resources to name in a policy")
        return role


_BY_ITSELF = {TriggerSource.SCHEDULE, TriggerSource.STREAM, TriggerSource.QUEUE}
"""Sources that call functions many times a day."""


def _is_hook(function: RouteFunction | TriggerFunction) -> bool:
    """Return True if only Cognito or Secrets Manager calls the function: few calls, so no gradual deployment."""
    return isinstance(function, TriggerFunction) and function.trigger.source not in _BY_ITSELF


def _has_tenant(function: RouteFunction | TriggerFunction) -> bool:
    """Return True if the function works for one tenant at a time, such as that of the caller's token."""
    if isinstance(function, TriggerFunction):
        return function.trigger.for_tenants
    return isinstance(function.declaration.permission, Permission) or function.declaration.permission == SIGNED


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


def _addresses(stage: Stage) -> dict[str, str]:
    """Return the addresses of payment providers that are not the usual ones."""
    return {"paypal_api": _PAYPAL_SANDBOX} if stage.paypal_sandbox else {}


def provider_secrets(stage: Stage) -> str:
    """Return the beginning of the names of secrets with tenants' credentials for payment providers."""
    return f"tradepost/{stage.name}/"


def _reads(function: RouteFunction | TriggerFunction) -> str:
    """Return the prefix of the keys to which a function is restricted; empty if it is not."""
    return function.trigger.reads if isinstance(function, TriggerFunction) else ""


def _table_statements(function: RouteFunction | TriggerFunction, data: Data) -> list[iam.PolicyStatement]:
    access = function.iam_actions
    on_rows = sorted(each.value for each in access if each.service == "dynamodb")
    apart = [IamAction.PUT.value] if _reads(function) else []
    found = [
        iam.PolicyStatement(actions=actions, resources=[data.table.table_arn])
        for actions in ([each for each in on_rows if each not in apart], apart)
        if actions
    ]
    for index, actions in _INDEX_ACTIONS.items():
        if index in access:
            arn = f"{data.table.table_arn}/index/{index.value}"
            found.append(iam.PolicyStatement(actions=actions, resources=[arn]))
    return found


def _usage_statement(data: Data, tenant: str) -> iam.PolicyStatement:
    """Return the permission to count a tenant's function time, in rows that hold nothing else."""
    return iam.PolicyStatement(
        actions=["dynamodb:PutItem", "dynamodb:UpdateItem"],
        resources=[data.table.table_arn],
        conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [usage(tenant, 0).pk]}},
    )


def _environment(function: RouteFunction | TriggerFunction, shared: Shared) -> Mapping[str, str]:
    data, stage = shared.data, shared.stage
    values = {
        "table_name": data.table.table_name,
        "cors_origins": " ".join(stage.cors_origins),
        "release": shared.release,
    }
    if {IamAction.LIST, IamAction.LIST_BELOW, IamAction.SIGN} & function.iam_actions:
        values["cursor_secret"] = data.cursor_secret.secret_arn
    if IamAction.SIGN_WEBHOOKS in function.iam_actions:
        values["webhook_secret"] = data.webhook_secret.secret_arn
    if {IamAction.PROVIDER_SECRETS, IamAction.SET_PROVIDER_SECRETS} & function.iam_actions:
        values |= {"provider_secrets": provider_secrets(stage)} | _addresses(stage)
    if any(each.service == "cognito-idp" for each in function.iam_actions):
        values["user_pool_id"] = shared.identity.pool.user_pool_id
    if IamAction.PUBLISH in function.iam_actions:
        values |= shared.queues.settings()
    if stage.tracing:
        values["tracing"] = "on"
    if stage.tenant_concurrency and IamAction.COUNT in function.iam_actions:
        values["tenant_concurrency"] = str(stage.tenant_concurrency)
    return settings.environment(**values) | {"POWERTOOLS_SERVICE_NAME": "tradepost"}
