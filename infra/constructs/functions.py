"""One Lambda function for each handler module, with a role that can do what its route declares and no more."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.data import Data
from infra.functions import Function
from infra.nag import acknowledge
from infra.naming import name
from infra.stages import Stage
from repositories.access import Access

MEMORY_MB = 512
TIMEOUT = Duration.seconds(20)


class RouteFunction(Construct):
    """A function, its log group and its role."""

    def __init__(self, scope: Construct, function: Function, *, stage: Stage, data: Data, archive: Path) -> None:
        super().__init__(scope, function.name)
        self._logs = logs.LogGroup(self, "Logs", retention=stage.log_retention, removal_policy=RemovalPolicy.DESTROY)
        role = self._role(function.operation.access, stage, data)
        self.function = lambda_.Function(
            self,
            "Function",
            description=f"{function.operation.method} {function.path}",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"{function.module}.handler",
            code=lambda_.Code.from_asset(str(archive)),
            memory_size=MEMORY_MB,
            timeout=TIMEOUT,
            # Lambda would add tracing permissions of its own; the role already says all that the function needs.
            role=role.without_policy_updates(),
            log_group=self._logs,
            tracing=lambda_.Tracing.ACTIVE if stage.tracing else lambda_.Tracing.DISABLED,
            environment=_environment(function, stage, data),
        )
        acknowledge(self.function, "AwsSolutions-L1", "python3.13 is the version that Tradepost is built and tested on")
        name(self.function, function.name)
        name(role, f"{function.name}Role")
        name(self._logs, f"{function.name}Logs")

    def _role(self, access: frozenset[Access], stage: Stage, data: Data) -> iam.Role:
        statements = [
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self._logs.log_group_arn]
            ),
            *_table_statements(access, data),
        ]
        if stage.tracing:
            statements.append(
                iam.PolicyStatement(actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources=["*"])
            )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"Function": iam.PolicyDocument(statements=statements)},
        )
        if stage.tracing:
            acknowledge(role, "AwsSolutions-IAM5[Resource::*]", "X-Ray has no resources to name in a policy")
        return role


def _table_statements(access: frozenset[Access], data: Data) -> list[iam.PolicyStatement]:
    actions = sorted(each.value for each in access if each is not Access.LIST)
    statements = []
    if actions:
        statements.append(iam.PolicyStatement(actions=actions, resources=[data.table.table_arn]))
    if Access.LIST in access:
        index = f"{data.table.table_arn}/index/{Access.LIST.value}"
        statements.append(iam.PolicyStatement(actions=[Access.QUERY.value], resources=[index]))
        statements.append(
            iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[data.cursor_secret.secret_arn])
        )
    return statements


def _environment(function: Function, stage: Stage, data: Data) -> Mapping[str, str]:
    environment = {
        "TABLE_NAME": data.table.table_name,
        "CORS_ORIGINS": " ".join(stage.cors_origins),
        "POWERTOOLS_SERVICE_NAME": "tradepost",
    }
    if Access.LIST in function.operation.access:
        environment["CURSOR_SECRET"] = data.cursor_secret.secret_arn
    if stage.tracing:
        environment["TRACING"] = "on"
    return environment
