"""Lambda function of a handler module, with a role that grants exactly the IAM actions that the module uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from domain.identity.permissions import Permission
from handlers.http.declaration import SIGNED
from handlers.invocations.trigger import TriggerSource
from handlers.registry import RouteFunction, TriggerFunction
from infra.constructs.data import Data
from infra.constructs.identity import Identity
from infra.constructs.permissions import NEEDS_FILES, NEEDS_PROVIDERS, Permissions, provider_secrets
from infra.constructs.queues import Queues
from infra.constructs.releases import Releases
from infra.constructs.tenant_role import TENANT, TenantRole
from infra.nag import acknowledge
from infra.naming import function_name, set_logical_id
from infra.stages import Stage
from repositories.aws import settings
from repositories.dynamodb.iam_actions import IamAction

_PAYPAL_SANDBOX = "https://api-m.sandbox.paypal.com"
"""Address of the API of PayPal's sandbox (PayPal REST API reference, "API requests")."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all functions of a stage share."""

    stage: Stage
    data: Data
    identity: Identity
    archives: Mapping[str, Path]
    """Zips by group of packages."""
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
        permissions = Permissions(self, function, stage, data, TENANT if tenant_roles else "*")
        of_tenant = permissions.of_tenant()
        elsewhere = [*permissions.elsewhere(identity), *also]
        if IamAction.PUBLISH in function.iam_actions:
            elsewhere += shared.queues.publishing()
        self.role = role = self._role(stage, elsewhere if tenant_roles else [*elsewhere, *of_tenant])
        environment = dict(_environment(function, shared))
        reaches_tenants = role
        if tenant_roles:
            reaches_tenants = TenantRole(self, taken_by=role, allows=of_tenant).role
            environment |= settings.environment(tenant_role=reaches_tenants.role_arn)
            # Lambda's SDK may be one that calls the endpoint in us-east-1 (AWS SDKs guide, "STS regional endpoints").
            environment["AWS_STS_REGIONAL_ENDPOINTS"] = "regional"
            set_logical_id(reaches_tenants, f"{function.name}ScopedRole")
        permissions.acknowledge_in(reaches_tenants)
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
            code=lambda_.Code.from_asset(str(shared.archives[function.size.packages])),
            memory_size=function.size.memory_mb,
            timeout=Duration.seconds(function.size.seconds),
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


def _addresses(stage: Stage) -> dict[str, str]:
    """Return the addresses of payment providers that are not the usual ones."""
    return {"paypal_api": _PAYPAL_SANDBOX} if stage.paypal_sandbox else {}


def _environment(function: RouteFunction | TriggerFunction, shared: Shared) -> Mapping[str, str]:
    data, stage, needs = shared.data, shared.stage, function.iam_actions
    values = {
        "table_name": data.table.table_name,
        "cors_origins": " ".join(stage.cors_origins),
        "release": shared.release,
    }
    optional = (
        ({IamAction.LIST, IamAction.LIST_BELOW, IamAction.SIGN}, {"cursor_secret": data.cursor_secret.secret_arn}),
        ({IamAction.SIGN_WEBHOOKS}, {"webhook_secret": data.webhook_secret.secret_arn}),
        (NEEDS_PROVIDERS, {"provider_secrets": provider_secrets(stage)} | _addresses(stage)),
        (NEEDS_FILES, {"export_bucket": data.export_bucket.bucket_name}),
        ({IamAction.PUBLISH}, shared.queues.settings()),
        (
            {IamAction.COUNT} if stage.tenant_concurrency else frozenset[IamAction](),
            {"tenant_concurrency": str(stage.tenant_concurrency)},
        ),
    )
    for actions, found in optional:
        if actions & needs:
            values |= found
    if any(each.service == "cognito-idp" for each in needs):
        values["user_pool_id"] = shared.identity.pool.user_pool_id
    if stage.tracing:
        values["tracing"] = "on"
    return settings.environment(**values) | {"POWERTOOLS_SERVICE_NAME": "tradepost"}
