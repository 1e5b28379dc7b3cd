"""What a stack costs by the month without traffic, from its templates: `uv run python -m benchmarks.idle`."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from benchmarks import prices
from benchmarks.pages import PAGE, with_table
from handlers.invocations.trigger import TriggerSource
from handlers.registry import triggers
from infra.templates import Synthesized, synthesize

VARIANTS: dict[str, Mapping[str, str]] = {
    "dev": {},
    "prod": {"stage": "prod"},
    "prod, `snapstart=on`": {"stage": "prod", "snapstart": "on"},
}
_SWEEP_SECONDS, _SWEEP_READS, _SWEEP_WRITES, _SWEEP_LOGGED_GB = 0.3, 7, 1, 0.6e-6
"""One sweep with nothing to do: its duration, the mark and 12 empty queries, the new mark, its log line."""

_POLLS = 5 * prices.SECONDS_A_MONTH / 20
"""Requests of Lambda's five pollers for an empty queue, which wait 20 seconds each (Lambda developer guide, "SQS")."""


class Item(NamedTuple):
    """Something that AWS bills by the month: how many there are, and what one costs."""

    name: str
    number: float
    dollars: float

    @property
    def total(self) -> float:
        """Dollars a month."""
        return self.number * self.dollars


def items(app: Synthesized) -> Iterator[Item]:
    """Yield what AWS bills for a stack without traffic."""
    found = [each for template in app.stacks for each in template["Resources"].values()]

    def of(kind: str) -> list[dict[str, Any]]:
        return [each["Properties"] for each in found if each["Type"] == kind]

    yield Item("firewall", len(of("AWS::WAFv2::WebACL")), prices.FIREWALL)
    yield Item("its rules", sum(len(acl["Rules"]) for acl in of("AWS::WAFv2::WebACL")), prices.FIREWALL_RULE)
    yield Item("metrics of alarms", sum(map(_metrics, of("AWS::CloudWatch::Alarm"))), prices.ALARM)
    yield Item("dashboard", len(of("AWS::CloudWatch::Dashboard")), prices.DASHBOARD)
    yield Item("metrics from the log", len(of("AWS::Logs::MetricFilter")), prices.METRIC)
    yield Item("secret", len(of("AWS::SecretsManager::Secret")), prices.SECRET)
    yield Item(
        "rules that name hot keys", 2 * sum(map(_insights, of("AWS::DynamoDB::GlobalTable"))), prices.INSIGHTS_RULE
    )
    snapshots = sum("SnapStart" in each for each in of("AWS::Lambda::Function"))
    cached = prices.MEMORY_GB * prices.SECONDS_A_MONTH * prices.SNAPSHOT_GB_SECOND
    yield Item("snapshots of functions", snapshots, cached)
    yield Item("calls of sweeps", _calls(), _dollars_a_sweep(traced=_is_traced(found)))
    polled = sum("StartingPosition" not in each for each in of("AWS::Lambda::EventSourceMapping"))
    yield Item("polls of queues", polled, _POLLS * prices.QUEUE_REQUEST / 1e6)


def _metrics(alarm: dict[str, Any]) -> int:
    return sum("MetricStat" in each for each in alarm["Metrics"]) if "Metrics" in alarm else 1


def _insights(table: dict[str, Any]) -> int:
    [replica] = table["Replicas"]
    watched = (replica, *replica.get("GlobalSecondaryIndexes", []))
    return sum("ContributorInsightsSpecification" in each for each in watched)


def _calls() -> float:
    scheduled = [each.trigger.every for each in triggers() if each.trigger.source is TriggerSource.SCHEDULE]
    return sum(prices.SECONDS_A_MONTH / 60 / every for every in scheduled)


def _is_traced(found: list[dict[str, Any]]) -> bool:
    return any("TracingConfig" in each["Properties"] for each in found if each["Type"] == "AWS::Lambda::Function")


def _dollars_a_sweep(*, traced: bool) -> float:
    a_million = prices.INVOCATION + prices.SCHEDULED_CALL + prices.TRACE * traced
    units = _SWEEP_READS * prices.READ_UNIT + _SWEEP_WRITES * prices.WRITE_UNIT
    compute = prices.MEMORY_GB * _SWEEP_SECONDS * prices.GB_SECOND
    return (a_million + units) / 1e6 + compute + _SWEEP_LOGGED_GB * prices.LOG_GB


def table() -> str:
    """Return the table of the page."""
    columns = {name: list(items(synthesize(choices))) for name, choices in VARIANTS.items()}
    names = [each.name for each in next(iter(columns.values()))]
    lines = [f"| a month, in dollars | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for number, name in enumerate(names):
        cells = [_cell(found[number]) for found in columns.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    sums = [f"**{sum(each.total for each in found):.2f}**" for found in columns.values()]
    return "\n".join([*lines, f"| **sum** | {' | '.join(sums)} |", ""])


def _cell(item: Item) -> str:
    if not item.number:
        return ""
    return f"{item.total:.2f} ({item.number:,.0f})" if item.number != 1 else f"{item.total:.2f}"


def page() -> str:
    """Return the page with its table as the templates are now."""
    return with_table("idle", table())


if __name__ == "__main__":
    PAGE.write_text(page())
    print(PAGE)
