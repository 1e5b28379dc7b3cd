"""Differences between stages, and the settings that operators choose with `-c name=value`."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Node

BUYING_PATH = frozenset({"GetItem", "ListItems", "PayOrder", "PlaceOrder", "PreTokenGeneration"})
"""Functions that a customer waits for, and that start from snapshots with `snapstart`; each costs 2 dollars a month."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Settings of a deployment: `dev` is cheap and deletes data with the stack, `prod` keeps data and is monitored."""

    name: str
    production: bool
    tracing: bool
    tenant_roles: bool
    api_keys_required: bool
    sets_cloudwatch_role: bool
    cors_origins: tuple[str, ...]
    architecture: str
    snap_start: bool
    gradual: bool
    monitored: bool
    queues_over_tls: bool
    tenant_concurrency: int
    account_concurrency: int
    address_limit: int
    firewall_blocks: bool
    warm_reads: int
    warm_writes: int
    alarm_email: str
    ses_from: str
    paypal_sandbox: bool
    lake: bool

    def snap_starts(self, function: str) -> bool:
        """Return whether a function starts from a snapshot."""
        return self.snap_start and function in BUYING_PATH

    def keeps_versions(self, function: str) -> bool:
        """Return whether earlier versions of a function stay. With SnapStart, each would be billed."""
        return self.production and not self.snap_starts(function)

    def publishes(self, function: str) -> bool:
        """Return whether a function that a client or a schedule calls is published behind an alias."""
        return self.production or self.snap_starts(function)

    @property
    def removal_policy(self) -> RemovalPolicy:
        """Removal policy of data when the stack is deleted."""
        return RemovalPolicy.RETAIN if self.production else RemovalPolicy.DESTROY

    @property
    def log_retention(self) -> logs.RetentionDays:
        """Retention period of logs."""
        return logs.RetentionDays.THREE_MONTHS if self.production else logs.RetentionDays.ONE_WEEK


def stage_from(context: Node) -> Stage:
    """Return the stage that the CDK context selects.

    `stage` is dev (default) or prod. Switches are on or off. On in prod by default: `tracing` (X-Ray), `tenant_roles`
    (IAM restricts functions to the caller's tenant), `gradual` (new versions take over bit by bit) and `monitoring`
    (dashboards, and alarms sent to `alarm_email`). `ses_from` is the address from which SES sends the pool's e-mails.
    `tenant_concurrency` is the number of executions that each tenant may have on average; 0: no limit (default in dev).
    `account_concurrency` is the account's limit of executions, near which an alarm is raised. `firewall` is `count`
    (default) or `block`: what AWS's managed rules do in prod. `address_limit` is the number of requests that an IP
    address may send in five minutes. `warm_reads` and `warm_writes` are units a second for which the table is ready.
    Off by default: `snapstart`, `api_keys`, and `lake` (events as Parquet files, and tables for Athena). On by
    default: `cloudwatch_role` (create the role with which API Gateway writes logs) and `queues_over_tls` (off: for
    a local AWS without TLS only). `architecture` is the functions' architecture, arm64 (default) or x86_64.
    `paypal` is `live` (default in prod) or `sandbox`. `cors` lists the origins of web clients, separated by commas
    (default: any in dev, none in prod). Raises ValueError for an invalid value.
    """
    production = _choice(context, "stage", ("dev", "prod"), "dev") == "prod"
    in_prod = "on" if production else "off"
    origins = context.try_get_context("cors") or ("" if production else "*")
    return Stage(
        name="prod" if production else "dev",
        production=production,
        tracing=_switch(context, "tracing", in_prod),
        tenant_roles=_switch(context, "tenant_roles", in_prod),
        api_keys_required=_switch(context, "api_keys", "off"),
        sets_cloudwatch_role=_switch(context, "cloudwatch_role", "on"),
        cors_origins=tuple(filter(None, origins.split(","))),
        architecture=_choice(context, "architecture", ("arm64", "x86_64"), "arm64"),
        snap_start=_switch(context, "snapstart", "off"),
        gradual=_switch(context, "gradual", in_prod),
        monitored=_switch(context, "monitoring", in_prod),
        queues_over_tls=_switch(context, "queues_over_tls", "on"),
        tenant_concurrency=_number(context, "tenant_concurrency", 100 if production else 0),
        account_concurrency=_number(context, "account_concurrency", 1000),
        address_limit=_number(context, "address_limit", 10_000),
        firewall_blocks=_choice(context, "firewall", ("count", "block"), "count") == "block",
        warm_reads=_number(context, "warm_reads", 0),
        warm_writes=_number(context, "warm_writes", 0),
        alarm_email=context.try_get_context("alarm_email") or "",
        ses_from=context.try_get_context("ses_from") or "",
        paypal_sandbox=_choice(context, "paypal", ("live", "sandbox"), "live" if production else "sandbox")
        == "sandbox",
        lake=_switch(context, "lake", "off"),
    )


def _number(context: Node, name: str, default: int) -> int:
    chosen = context.try_get_context(name)
    if chosen is None:
        return default
    if not str(chosen).isdecimal():
        raise ValueError(f"-c {name}={chosen}: must be a whole number")
    return int(chosen)


def _switch(context: Node, name: str, default: str) -> bool:
    return _choice(context, name, ("on", "off"), default) == "on"


def _choice(context: Node, name: str, choices: tuple[str, ...], default: str) -> str:
    chosen: str = context.try_get_context(name) or default
    if chosen not in choices:
        raise ValueError(f"-c {name}={chosen}: must be {' or '.join(choices)}")
    return chosen
