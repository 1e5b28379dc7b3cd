"""Release resources shared by all functions: log group, business metrics, gradual deployment."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from handlers.invocations.trigger import TRIGGER_FAILED, WORK_FAILING
from infra.nag import acknowledge
from infra.naming import ALIAS, set_logical_id
from infra.stages import Stage

SERVER_ERRORS = 5
"""Server errors of the whole API in a minute at which CodeDeploy rolls back versions that are taking over."""
RELEASE_ERRORS = 1
"""Errors of the new release in a minute at which it does so too: a tenth of few calls may be a single one."""
_MINUTE = Duration.minutes(1)
_POLICY = "service-role/AWSCodeDeployRoleForLambdaLimited"


def namespace(stage: Stage) -> str:
    """Return the namespace of a stage's metrics: stages may share an account."""
    return f"Tradepost/{stage.name}"


BUSINESS = {
    "OrdersPlaced": '{ ($.route = "POST /v1/orders") && ($.status = 201) }',
    "OrdersRefusedForStock": '{ ($.route = "POST /v1/orders") && ($.code = "OUT_OF_STOCK") }',
    "Contention": '{ $.code = "CONTENTION" }',
    "KeysReplayed": "{ $.replayed IS TRUE }",
    "TenantsLimited": '{ $.code = "TOO_MANY_REQUESTS" }',
}
"""Business metrics and their filter patterns on the functions' logs.

The filters are free; each metric costs what a CloudWatch custom metric costs.
"""
TROUBLE = {
    "TriggerFailures": f'{{ $.message = "{TRIGGER_FAILED}" }}',
    "WorkFailures": f'{{ $.message = "{WORK_FAILING}" }}',
    "TimeOuts": '"Task timed out"',
}
"""The same for what only log lines show: a refused sign-up is an error to Lambda, but none to operators."""

SWEEP_BEHIND = "SweepBehind"
"""Metric of the minutes that the mark of a sweep is behind the clock."""


class Releases(Construct):
    """One log group for all functions; with `gradual`, canary deployments that shift 10% of the calls first."""

    def __init__(self, scope: Construct, *, stage: Stage, api_name: str, release: str) -> None:
        super().__init__(scope, "Releases")
        self._gradual = stage.gradual
        self._namespace = namespace(stage)
        self.logs = logs.LogGroup(self, "Logs", retention=stage.log_retention, removal_policy=RemovalPolicy.DESTROY)
        set_logical_id(self.logs, "FunctionLogs")
        # Each metric costs what a custom metric costs, so that there are none where nothing reads them.
        if stage.monitored:
            for metric, pattern in (BUSINESS | TROUBLE).items():
                self._filter(metric, pattern)
            self._filter(SWEEP_BEHIND, "{ $.behind_minutes >= 0 }", value="$.behind_minutes")
        if self._gradual:
            self._application = codedeploy.LambdaApplication(self, "Application")
            self._role = self._deploying()
            self._alarms = [self._server_errors(api_name, stage), self._release_errors(release)]

    def _filter(self, metric: str, pattern: str, value: str = "1") -> logs.MetricFilter:
        return self.logs.add_metric_filter(
            metric,
            filter_pattern=logs.FilterPattern.literal(pattern),
            metric_namespace=self._namespace,
            metric_name=metric,
            metric_value=value,
            default_value=0,
        )

    def _server_errors(self, api_name: str, stage: Stage) -> cloudwatch.Alarm:
        """Return the alarm about responses 5xx of the whole API, but for 503, which are answers to throttling."""
        failed = cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name="5XXError",
            dimensions_map={"ApiName": api_name, "Stage": stage.name},
            statistic="Sum",
            period=_MINUTE,
        )
        unavailable = self._filter("Unavailable", "{ $.status = 503 }").metric(statistic="Sum", period=_MINUTE)
        metric = cloudwatch.MathExpression(
            expression="failed - FILL(unavailable, 0)",
            using_metrics={"failed": failed, "unavailable": unavailable},
            period=_MINUTE,
        )
        # Lines of the log are counted later than responses, so that one minute may lack them.
        return self._alarm("ServerErrors", metric, SERVER_ERRORS, "The API answers 5xx", minutes=2)

    def _release_errors(self, release: str) -> cloudwatch.Alarm:
        """Return the alarm about errors of functions of this release, of which few may have been called yet."""
        pattern = f'{{ ($.status = 500) && ($.release = "{release}") }}'
        metric = self._filter("ReleaseErrors", pattern).metric(statistic="Sum", period=_MINUTE)
        return self._alarm("ReleaseErrors", metric, RELEASE_ERRORS, "Functions of the new release answer 500")

    def _alarm(
        self, name: str, metric: cloudwatch.IMetric, threshold: float, meaning: str, minutes: int = 1
    ) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            name,
            metric=metric,
            threshold=threshold,
            evaluation_periods=2 * minutes - 1,
            datapoints_to_alarm=minutes,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"{meaning}: versions that are taking over are taken back",
        )

    def alias(self, scope: Construct, function: lambda_.Function) -> lambda_.IFunction:
        """Return the alias of a function's current version."""
        alias = lambda_.Alias(scope, "Alias", alias_name=ALIAS, version=function.current_version)
        if self._gradual:
            codedeploy.LambdaDeploymentGroup(
                scope,
                "Deployments",
                application=self._application,
                alias=alias,
                role=self._role,
                deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
                alarms=self._alarms,
            )
        return alias

    def _deploying(self) -> iam.IRole:
        role = iam.Role(
            self,
            "Deploying",
            assumed_by=iam.ServicePrincipal("codedeploy.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_POLICY)],
        )
        policy = f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_POLICY}]"
        acknowledge(role, policy, "The policy that AWS has for CodeDeploy and Lambda")
        return role.without_policy_updates()
