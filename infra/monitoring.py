"""Dashboards and alarms, in a separate stack, so that the monitored stack can be deployed first and without them."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from cdk_monitoring_constructs import (
    AlarmFactoryDefaults,
    CustomMetricGroup,
    DefaultDashboardFactory,
    ErrorCountThreshold,
    ErrorRateThreshold,
    LatencyThreshold,
    MaxMessageCountThreshold,
    MonitoringFacade,
    SnsAlarmActionStrategy,
)
from constructs import Construct

from handlers.registry import all_functions
from infra.constructs.lambda_function import function_name
from infra.constructs.releases import BUSINESS, NAMESPACE
from infra.stack import TradepostStack
from infra.stages import Stage

SLOWEST = Duration.seconds(2)
"""Alarm threshold of the 99th percentile latency; a cold start takes just over half a second."""
ERROR_RATE = 0.01
CONTENTION = 50
"""Alarm threshold of CONTENTION responses in five minutes; above it, split the hot item or account."""


class MonitoringStack(Stack):
    """Alarms that notify an SNS topic, and dashboards of functions, the API, the table and business metrics."""

    def __init__(self, scope: Construct, stage: Stage, watched: TradepostStack) -> None:
        super().__init__(scope, f"Tradepost-{stage.name}-Monitoring", description=f"Watching Tradepost ({stage.name})")
        self.topic = sns.Topic(self, "Alarms", display_name=f"Tradepost {stage.name}", enforce_ssl=True)
        if stage.alarm_email:
            self.topic.add_subscription(subscriptions.EmailSubscription(stage.alarm_email))
        self._facade = MonitoringFacade(
            self,
            "Watching",
            alarm_factory_defaults=AlarmFactoryDefaults(
                actions_enabled=True,
                alarm_name_prefix=f"Tradepost-{stage.name}",
                action=SnsAlarmActionStrategy(on_alarm_topic=self.topic),
                datapoints_to_alarm=2,
                evaluation_periods=3,
            ),
            dashboard_factory=DefaultDashboardFactory(
                self, "Dashboards", dashboard_name_prefix=f"Tradepost-{stage.name}"
            ),
        )
        self._watch_api(watched)
        self._watch_table(watched.table)
        self._watch_business()
        self._watch_functions(stage, watched)

    def _watch_api(self, watched: TradepostStack) -> None:
        self._facade.add_large_header("API").monitor_api_gateway(
            api=watched.api.rest,
            api_stage=watched.api.rest.deployment_stage.stage_name,
            human_readable_name="API",
            alarm_friendly_name="Api",
            add5_xx_fault_rate_alarm={"Critical": ErrorRateThreshold(max_error_rate=ERROR_RATE)},
            add_latency_p99_alarm={"Critical": LatencyThreshold(max_latency=SLOWEST)},
        )

    def _watch_table(self, table: dynamodb.ITableV2) -> None:
        dimensions = {"TableName": table.table_name}

        def metric(name: str) -> cloudwatch.Metric:
            return cloudwatch.Metric(
                namespace="AWS/DynamoDB", metric_name=name, dimensions_map=dimensions, statistic="Sum"
            )

        self._facade.add_large_header("Table").monitor_custom(
            human_readable_name="Table",
            alarm_friendly_name="Table",
            metric_groups=[
                CustomMetricGroup(
                    title=title,
                    metrics=[metric(name) for name in names],
                )
                for title, names in {
                    "Capacity units": ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
                    "Throttles": ("ReadThrottleEvents", "WriteThrottleEvents"),
                    "Conflicts": ("TransactionConflict",),
                }.items()
            ],
        )
        for name, threshold in (
            ("ReadThrottleEvents", 10),
            ("WriteThrottleEvents", 10),
            ("TransactionConflict", 500),
        ):
            self._alarm(f"Table{name}", metric(name), threshold)

    def _watch_business(self) -> None:
        metrics = {name: cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, statistic="Sum") for name in BUSINESS}
        self._facade.add_large_header("Business").monitor_custom(
            human_readable_name="Business",
            alarm_friendly_name="Business",
            metric_groups=[CustomMetricGroup(title=name, metrics=[metric]) for name, metric in metrics.items()],
        )
        self._alarm("Contention", metrics["Contention"], CONTENTION)

    def _watch_functions(self, stage: Stage, watched: TradepostStack) -> None:
        self._facade.add_large_header("Functions")
        for function in all_functions():
            # By name: a cross-stack reference would prevent the removal of a function from the other stack.
            named = lambda_.Function.from_function_name(self, function.name, function_name(stage, function))
            self._facade.monitor_lambda_function(
                lambda_function=named,
                human_readable_name=function.name,
                alarm_friendly_name=function.name,
                add_fault_count_alarm={"Critical": ErrorCountThreshold(max_error_count=1)},
                add_latency_p99_alarm={"Critical": LatencyThreshold(max_latency=SLOWEST)},
                add_throttles_count_alarm={"Critical": ErrorCountThreshold(max_error_count=1)},
            )
        self._facade.add_large_header("Failed calls").monitor_sqs_queue(
            queue=watched.failed_calls,
            human_readable_name="Failed calls",
            alarm_friendly_name="FailedCalls",
            add_queue_max_size_alarm={"Critical": MaxMessageCountThreshold(max_message_count=0)},
        )

    def _alarm(self, name: str, metric: cloudwatch.Metric, threshold: float) -> None:
        alarm = metric.with_(period=Duration.minutes(5)).create_alarm(
            self,
            name,
            alarm_name=f"{self.stack_name}-{name}",
            threshold=threshold,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
