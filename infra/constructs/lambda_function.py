"""One Lambda function for each handler module, with a role that can do what the module declares and no more."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from domain.identity.permissions import Permission
from handlers.registry import Function, TriggerFunction
from handlers.triggers.trigger import Source
from infra.constructs.data import Data
from infra.constructs.identity import Identity
from infra.constructs.releases import Releases
from infra.constructs.tenant_role import TenantFence
from infra.nag import acknowledge
from infra.naming import name
from infra.stages import Stage
from repositories.dynamodb.iam_actions import Access

MEMORY_MB = 512
TIMEOUT = Duration.seconds(20)

_SECRET_ACTIONS = {
    Access.LIST: ["secretsmanager:GetSecretValue"],
    Access.SIGN: ["secretsmanager:GetSecretValue"],
    Access.ROTATE: [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ],
}

_INDEX_ACTIONS = {
    Access.LIST: ["dynamodb:Query"],
    Access.LIST_BELOW: ["dynamodb:Query"],
    Access.DUE: ["dynamodb:Query", "dynamodb:Scan"],
}


class DeployedFunction(Construct):
    """A function and its role; fenced in by its caller's tenant where the stage says so.

    `target` is what callers reach: the function, or the alias of its published version.
    """

    def __init__(
        self,
        scope: Construct,
        function: Function | TriggerFunction,
        *,
        stage: Stage,
        data: Data,
        identity: Identity,
        archive: Path,
        releases: Releases,
        also: Sequence[iam.PolicyStatement] = (),
    ) -> None:
        super().__init__(scope, function.name)
        self._logs = releases.logs
        fenced = stage.fenced and _has_tenant(function)
        on_table = _table_statements(function.access, data)
        role = self._role(stage, [*_statements(function.access, data, identity), *also, *([] if fenced else on_table)])
        environment = dict(_environment(function, stage, data, identity))
        if fenced:
            fence = TenantFence(self, taken_by=role, allows=on_table)
            environment["TENANT_ROLE"] = fence.role.role_arn
            name(fence.role, f"{function.name}Fence")
        self.function = lambda_.Function(
            self,
            "Function",
            # A name that is known beforehand: what watches a function need not refer to it.
            function_name=function_name(stage, function),
            description=function.description,
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.custom(stage.architecture),
            handler=f"{function.module}.handler",
            code=lambda_.Code.from_asset(str(archive)),
            memory_size=MEMORY_MB,
            timeout=TIMEOUT,
            # Lambda would add tracing permissions of its own; the role already says all that the function needs.
            role=role.without_policy_updates(),
            log_group=self._logs,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if stage.snap_start else None,
            reserved_concurrent_executions=1 if stage.production and _is_scheduled(function) else None,
            tracing=lambda_.Tracing.ACTIVE if stage.tracing else lambda_.Tracing.DISABLED,
            environment=environment,
        )
        acknowledge(self.function, "AwsSolutions-L1", "python3.13 is the version that Tradepost is built and tested on")
        name(self.function, function.name)
        name(role, f"{function.name}Role")
        self.target: lambda_.IFunction = self.function
        if stage.published and not _is_hook(function):
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


def function_name(stage: Stage, function: Function | TriggerFunction) -> str:
    """Return the name of a function in its account and region."""
    return f"Tradepost-{stage.name}-{function.name}"


def _is_hook(function: Function | TriggerFunction) -> bool:
    """Tell whether only Cognito or Secrets Manager calls a function: such are few, and need no gradual release."""
    return isinstance(function, TriggerFunction) and not _is_scheduled(function)


def _is_scheduled(function: Function | TriggerFunction) -> bool:
    return isinstance(function, TriggerFunction) and function.trigger.source is Source.SCHEDULE


def _has_tenant(function: Function | TriggerFunction) -> bool:
    """Tell whether a function's caller belongs to a tenant, as a token says."""
    return isinstance(function, Function) and isinstance(function.operation.permission, Permission)


def _statements(access: frozenset[Access], data: Data, identity: Identity) -> list[iam.PolicyStatement]:
    """Return what a function may do beside the table."""
    found = []
    on_pool = sorted(each.value for each in access if each.service == "cognito-idp")
    if on_pool:
        found.append(iam.PolicyStatement(actions=on_pool, resources=[identity.pool.user_pool_arn]))
    for need, actions in _SECRET_ACTIONS.items():
        if need in access:
            found.append(iam.PolicyStatement(actions=actions, resources=[data.cursor_secret.secret_arn]))
    return found


def _table_statements(access: frozenset[Access], data: Data) -> list[iam.PolicyStatement]:
    found = []
    on_rows = sorted(each.value for each in access if each.service == "dynamodb")
    if on_rows:
        found.append(iam.PolicyStatement(actions=on_rows, resources=[data.table.table_arn]))
    for index, actions in _INDEX_ACTIONS.items():
        if index in access:
            arn = f"{data.table.table_arn}/index/{index.value}"
            found.append(iam.PolicyStatement(actions=actions, resources=[arn]))
    return found


def _environment(
    function: Function | TriggerFunction, stage: Stage, data: Data, identity: Identity
) -> Mapping[str, str]:
    environment = {
        "TABLE_NAME": data.table.table_name,
        "CORS_ORIGINS": " ".join(stage.cors_origins),
        "POWERTOOLS_SERVICE_NAME": "tradepost",
    }
    if {Access.LIST, Access.SIGN} & function.access:
        environment["CURSOR_SECRET"] = data.cursor_secret.secret_arn
    if any(each.service == "cognito-idp" for each in function.access):
        environment["USER_POOL_ID"] = identity.pool.user_pool_id
    if stage.tracing:
        environment["TRACING"] = "on"
    return environment
