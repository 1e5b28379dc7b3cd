"""cdk-nag findings that are as they should be, each acknowledged where it arises, with the reason."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(where: IConstruct, rule: str, reason: str) -> None:
    """Accept what `rule` finds on `where`."""
    Validations.of(where).acknowledge(Acknowledgment(id=rule, reason=reason))
