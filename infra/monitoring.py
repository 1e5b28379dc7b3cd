"""Dashboard and alarms, in a separate stack, so that the monitored stack can be deployed first and without them.

An alarm is for what an operator should get up for. Graphs of functions search for their metrics, so that neither the
dashboard nor the number of alarms grows with the number of functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from handlers.invocations.trigger import TriggerSource
from handlers.registry import TriggerFunction, triggers
from infra.constructs.limits import WEB_ACL
from infra.constructs.releases import BUSINESS, SWEEP_BEHIND, namespace
from infra.naming import function_name
from infra.stack import TradepostStack
from infra.stages import Stage
from repositories.dynamodb.schema import INDEXES

_FIVE_MINUTES = Duration.minutes(5)
_MISSING_IS_FINE = cloudwatch.TreatMissingData.NOT_BREACHING
_TABLE, _API, _LAMBDA = "AWS/DynamoDB", "AWS/ApiGateway", "AWS/Lambda"
SLOW_MS = 2000
"""Alarm threshold of the API's 99th percentile latency; a cold start takes just over half a second."""
CONCURRENCY_SHARE = 0.8
"""Alarm threshold of concurrent executions, as a share of the account's limit."""
BEHIND_MINUTES = 10
"""Alarm threshold of the minutes that a sweep's mark is behind the clock; it is always two or three."""
BLOCKED = 5000
"""Alarm threshold of the requests that the firewall refuses in five minutes."""


@dataclass(frozen=True, slots=True)
class _Alarm:
    """Alarm on a metric: it fires when the metric is above `above`, or below 1 if `required`."""

    name: str
    metric: cloudwatch.IMetric
    above: float
    meaning: str
    periods: int = 1
    """Periods of three in which the metric has to be above the threshold; 1: the last one."""
    required: bool = False


class MonitoringStack(Stack):
    """Alarms that notify an SNS topic, and a dashboard of API, table, business and functions."""

    def __init__(self, scope: Construct, stage: Stage, watched: TradepostStack) -> None:
        super().__init__(scope, f"Tradepost-{stage.name}-Monitoring", description=f"Watching Tradepost ({stage.name})")
        self._stage, self._watched = stage, watched
        self.topic = self._topic()
        for alarm in (
            *self._api_alarms(),
            *self._table_alarms(),
            *self._function_alarms(),
            *self._event_alarms(),
        ):
            self._add(alarm)
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=f"Tradepost-{stage.name}")
        for row in (self._api_graphs(), self._business_graphs(), self._table_graphs(), self._function_graphs()):
            dashboard.add_widgets(*row)

    def _topic(self) -> sns.Topic:
        """Return the topic of alarms. A topic policy replaces the default one, so it must let CloudWatch publish."""
        topic = sns.Topic(self, "Alarms", display_name=f"Tradepost {self._stage.name}", enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
            )
        )
        if self._stage.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self._stage.alarm_email))
        return topic

    def _api_alarms(self) -> list[_Alarm]:
        count, refused, failed = (self._api(name, "Sum") for name in ("Count", "4XXError", "5XXError"))
        return [
            _Alarm("ApiFailures", self._rate(failed, count, 50), 0.01, "More than 1% of responses are 5xx", periods=2),
            _Alarm("ApiRefusals", self._rate(refused, count, 100), 0.5, "Most responses are 4xx", periods=2),
            _Alarm("ApiLatency", self._api("Latency", "p99"), SLOW_MS, "A hundredth of responses is slow", periods=2),
            _Alarm("Contention", self._business("Contention"), 50, "Requests give up, as many write the same row"),
            _Alarm("FirewallBlocks", self._blocked(), BLOCKED, "An attack, or a rule that refuses customers"),
            _Alarm("SignInThrottles", self._throttled_sign_ins(), 0, "Cognito's quota of sign-ins is used up"),
        ]

    def _table_alarms(self) -> list[_Alarm]:
        throttles = [
            _Alarm(f"Table{name}", self._table(name), 10, "A partition is hot, or the table is growing to its traffic")
            for name in ("ReadThrottleEvents", "WriteThrottleEvents")
        ]
        return throttles + [
            _Alarm(
                f"{index.title()}WriteThrottleEvents",
                self._table("WriteThrottleEvents", index),
                10,
                f"A partition of {index} is hot, which throttles writes of the table",
            )
            for index in INDEXES
        ]

    def _function_alarms(self) -> list[_Alarm]:
        queue = self._watched.failed_calls.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES)
        concurrency = _metric(_LAMBDA, "ConcurrentExecutions", "Maximum")
        available = self._stage.account_concurrency * CONCURRENCY_SHARE
        behind = _metric(namespace(self._stage), SWEEP_BEHIND, "Maximum")
        scheduled = [each for each in triggers() if each.trigger.source is TriggerSource.SCHEDULE]
        return [
            _Alarm("FailedCalls", queue, 0, "A scheduled call failed three times in a row"),
            _Alarm("WorkFailures", self._business("WorkFailures"), 0, "Due work has failed five times in a row"),
            _Alarm("SweepBehind", behind, BEHIND_MINUTES, "More work is due than sweeps get done", periods=2),
            _Alarm("TriggerFailures", self._business("TriggerFailures"), 0, "A sign-up, sign-in or rotation failed"),
            _Alarm("TimeOuts", self._business("TimeOuts"), 0, "A function did not finish in its time", periods=2),
            _Alarm("Throttles", _metric(_LAMBDA, "Throttles", "Sum"), 0, "The account's concurrency is used up"),
            _Alarm("Concurrency", concurrency, available, "The account's concurrency is nearly used up"),
            *(
                _Alarm(f"{each.name}Missing", self._calls(each), 1, f"{each.name} is not called", required=True)
                for each in scheduled
            ),
        ]

    def _event_alarms(self) -> list[_Alarm]:
        queues = self._watched.flow.queues
        relays = [each for each in triggers() if each.trigger.source is TriggerSource.STREAM]
        return [
            *(
                _Alarm(f"{each.name}Behind", self._age(each), BEHIND_MINUTES * 60_000, "Events are relayed late")
                for each in relays
            ),
            *(
                _Alarm(
                    f"{name.value}Behind",
                    queue.metric_approximate_age_of_oldest_message(period=_FIVE_MINUTES),
                    BEHIND_MINUTES * 60,
                    f"{name.value} are handled late",
                )
                for name, queue in queues.by_name.items()
            ),
            *(
                _Alarm(
                    each.name,
                    each.queue.metric_approximate_number_of_messages_visible(period=_FIVE_MINUTES),
                    0,
                    each.meaning,
                )
                for each in queues.dead_letters
            ),
        ]

    def _age(self, function: TriggerFunction) -> cloudwatch.Metric:
        dimensions = {"FunctionName": function_name(self._stage, function)}
        return _metric(_LAMBDA, "IteratorAge", "Maximum", dimensions)

    def _calls(self, function: TriggerFunction) -> cloudwatch.Metric:
        dimensions = {"FunctionName": function_name(self._stage, function)}
        return _metric(_LAMBDA, "Invocations", "Sum", dimensions)

    def _api(self, name: str, statistic: str) -> cloudwatch.Metric:
        rest = self._watched.api.rest
        dimensions = {"ApiName": rest.rest_api_name, "Stage": rest.deployment_stage.stage_name}
        return _metric(_API, name, statistic, dimensions)

    def _business(self, name: str) -> cloudwatch.Metric:
        return _metric(namespace(self._stage), name, "Sum")

    def _blocked(self) -> cloudwatch.Metric:
        return _metric("AWS/WAFV2", "BlockedRequests", "Sum", {"WebACL": WEB_ACL, "Region": Aws.REGION, "Rule": "ALL"})

    def _throttled_sign_ins(self) -> cloudwatch.Metric:
        pool, client = self._watched.identity.pool, self._watched.identity.client
        dimensions = {"UserPool": pool.user_pool_id, "UserPoolClient": client.user_pool_client_id}
        return _metric("AWS/Cognito", "SignInThrottles", "Sum", dimensions)

    def _table(self, name: str, index: str | None = None) -> cloudwatch.Metric:
        dimensions = {"TableName": self._watched.table.table_name}
        if index:
            dimensions["GlobalSecondaryIndexName"] = index
        return _metric(_TABLE, name, "Sum", dimensions)

    def _rate(self, part: cloudwatch.Metric, whole: cloudwatch.Metric, at_least: int) -> cloudwatch.MathExpression:
        """Return the share of a metric in another, or 0 below `at_least` requests."""
        return cloudwatch.MathExpression(
            expression=f"IF(whole >= {at_least}, part / whole, 0)",
            using_metrics={"part": part, "whole": whole},
            period=_FIVE_MINUTES,
        )

    def _add(self, wanted: _Alarm) -> None:
        below = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
        above = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
        alarm = cloudwatch.Alarm(
            self,
            wanted.name,
            alarm_name=f"Tradepost-{self._stage.name}-{wanted.name}",
            alarm_description=f"{wanted.meaning} (docs/operations.md)",
            metric=wanted.metric,
            threshold=wanted.above,
            comparison_operator=below if wanted.required else above,
            evaluation_periods=3 if wanted.periods > 1 else 1,
            datapoints_to_alarm=wanted.periods,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING if wanted.required else _MISSING_IS_FINE,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))

    def _api_graphs(self) -> list[cloudwatch.IWidget]:
        latency = [self._api("Latency", statistic) for statistic in ("p50", "p99")]
        return [
            _graph("Requests", [self._api("Count", "Sum")]),
            _graph("Refused and failed", [self._api(name, "Sum") for name in ("4XXError", "5XXError")]),
            _graph("Latency, ms", latency),
            _graph("Blocked by the firewall", [self._blocked()]),
        ]

    def _business_graphs(self) -> list[cloudwatch.IWidget]:
        return [_graph("Business", [self._business(name) for name in BUSINESS], width=24)]

    def _table_graphs(self) -> list[cloudwatch.IWidget]:
        groups = {
            "Capacity units": ("ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"),
            "Throttles": ("ReadThrottleEvents", "WriteThrottleEvents"),
            "Conflicts": ("TransactionConflict",),
        }
        return [_graph(title, [self._table(name) for name in names]) for title, names in groups.items()]

    def _function_graphs(self) -> list[cloudwatch.IWidget]:
        graphs = {"Errors": "Sum", "Throttles": "Sum", "Duration": "p99"}
        return [
            _graph(f"Functions: {name.lower()}, {statistic}", [self._search(name, statistic)])
            for name, statistic in graphs.items()
        ]

    def _search(self, name: str, statistic: str) -> cloudwatch.MathExpression:
        """Return a metric of each function, by name: functions can be added and removed without this stack."""
        found = f'{{{_LAMBDA},FunctionName}} MetricName="{name}" Tradepost-{self._stage.name}-'
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{found}', '{statistic}', 300)", using_metrics={}, label="", period=_FIVE_MINUTES
        )


def _metric(namespace: str, name: str, statistic: str, dimensions: dict[str, str] | None = None) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, statistic=statistic, dimensions_map=dimensions, period=_FIVE_MINUTES
    )


def _graph(title: str, metrics: Sequence[cloudwatch.IMetric], width: int = 8) -> cloudwatch.IWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=width, height=6)
