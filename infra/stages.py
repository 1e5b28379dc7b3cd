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
    cors_origins: tuple[str, ...]

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

    `stage` is dev (default) or prod; `tracing` is on or off (default: on in prod); `cors` lists the origins of
    web clients, separated by commas (default: any in dev, none in prod). Raises ValueError for anything else.
    """
    name = context.try_get_context("stage") or "dev"
    if name not in {"dev", "prod"}:
        raise ValueError(f"-c stage={name}: must be dev or prod")
    production = name == "prod"
    tracing = context.try_get_context("tracing") or ("on" if production else "off")
    if tracing not in {"on", "off"}:
        raise ValueError(f"-c tracing={tracing}: must be on or off")
    origins = context.try_get_context("cors") or ("" if production else "*")
    return Stage(name, production, tracing == "on", tuple(filter(None, origins.split(","))))
