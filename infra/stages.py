"""What differs between stages, and what the operator can choose with `-c name=value`."""

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Node


@dataclass(frozen=True, slots=True)
class Stage:
    """One deployment: `dev` is cheap and leaves nothing behind, `prod` keeps its data and is watched."""

    name: str
    production: bool
    tracing: bool
    tenant_roles: bool
    api_keys_required: bool
    sets_cloudwatch_role: bool
    cors_origins: tuple[str, ...]
    architecture: str
    snap_start: bool
    monitored: bool
    alarm_email: str

    @property
    def published(self) -> bool:
        """Whether callers reach a published version by its alias, which a new one replaces bit by bit."""
        return self.production or self.snap_start

    @property
    def removal_policy(self) -> RemovalPolicy:
        """What becomes of data when the stack goes."""
        return RemovalPolicy.RETAIN if self.production else RemovalPolicy.DESTROY

    @property
    def log_retention(self) -> logs.RetentionDays:
        """How long logs are kept."""
        return logs.RetentionDays.THREE_MONTHS if self.production else logs.RetentionDays.ONE_WEEK


def stage_from(context: Node) -> Stage:
    """Return the stage that the CDK context asks for.

    `stage` is dev (default) or prod. Switches, on or off: `tracing` (X-Ray), `fence` (one tenant's rows by IAM) and
    `monitoring` (dashboards and alarms, told to `alarm_email`), by default on in prod; `snapstart` and `api_keys`, by
    default off; `cloudwatch_role` (make the role by which API Gateway logs), by default on. `architecture` is the
    functions' processor, arm64 (default) or x86_64. `cors` lists the origins of web clients, separated by commas
    (default: any in dev, none in prod). Raises ValueError for anything else.
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
        monitored=_switch(context, "monitoring", in_prod),
        alarm_email=context.try_get_context("alarm_email") or "",
    )


def _switch(context: Node, name: str, default: str) -> bool:
    return _choice(context, name, ("on", "off"), default) == "on"


def _choice(context: Node, name: str, choices: tuple[str, ...], default: str) -> str:
    chosen: str = context.try_get_context(name) or default
    if chosen not in choices:
        raise ValueError(f"-c {name}={chosen}: must be {' or '.join(choices)}")
    return chosen
