"""Acknowledgment of intended cdk-nag findings, each with a reason, at the construct that causes it."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(where: IConstruct, rule: str, reason: str) -> None:
    """Acknowledge the findings of `rule` on the construct `where`."""
    Validations.of(where).acknowledge(Acknowledgment(id=rule, reason=reason))
