"""Webhook endpoints of a tenant, and deliveries of events to them."""

from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Annotated, Literal, Self

from pydantic import MISSING, AfterValidator, Field
from pydantic_core import PydanticCustomError

from domain.common.merge_patch import patched
from domain.common.model import Model, SingleLine, Timestamp
from domain.event_types import TYPES

MAX_ENDPOINTS = 20
"""Maximum endpoints of a tenant: each event is matched with all of them."""
OLD_SECRET_LIFETIME = timedelta(hours=24)
"""Time for which the secret before a rotation signs along."""
PAUSES = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Pause before each attempt; a delivery that fails after the last one is given up, after about three days."""
_JITTER = 0.1
DISABLED_AFTER = timedelta(days=5)
"""Time of nothing but failures after which an endpoint is disabled."""
PATIENCE = 10
"""Failures in a row from which an endpoint is left alone for a while."""
_LONGEST_REST = timedelta(minutes=15)
_FIRST_REST = timedelta(seconds=30)


def _known(types: list[str]) -> list[str]:
    unknown = next((each for each in types if each not in TYPES), None)
    if unknown is not None:
        raise PydanticCustomError("type_unknown", "There is no type {type}", {"type": repr(unknown[:100])})
    return sorted(set(types))


Types = Annotated[list[str], Field(min_length=1, max_length=len(TYPES)), AfterValidator(_known)]
Url = Annotated[SingleLine, Field(max_length=2000, examples=["https://shop.example/hooks"])]
Description = Annotated[SingleLine, Field(max_length=200)]
Ordering = Literal["none", "subject"]


class EndpointStatus(StrEnum):
    """Status of an endpoint. A disabled one gets nothing."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class EndpointFields(Model):
    """Fields of an endpoint that can be changed."""

    url: Url
    types: Types | None = None
    """Types of events to deliver; null: all."""
    ordering: Ordering = "none"
    """`subject`: an event is delivered after those before it of the same subject were, or were given up."""
    description: Description | None = None
    status: EndpointStatus = EndpointStatus.ENABLED


class NewEndpoint(Model):
    """A new endpoint."""

    url: Url
    types: Types | None = None
    ordering: Ordering = "none"
    description: Description | None = None


class EndpointPatch(Model):
    """A JSON merge patch (RFC 7396) of an endpoint. Fields left out are unchanged."""

    url: Url | MISSING = MISSING
    types: Types | MISSING | None = MISSING
    ordering: Ordering | MISSING = MISSING
    description: Description | MISSING | None = MISSING
    status: EndpointStatus | MISSING = MISSING


class Endpoint(Model):
    """An endpoint: an address to which events are sent as they happen, signed by Standard Webhooks."""

    id: str
    url: str
    types: list[str] | None
    ordering: Ordering
    status: EndpointStatus
    disabled_reason: str | None
    """Why it was disabled by Tradepost."""
    description: str | None
    version: int
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def new(cls, endpoint_id: str, fields: NewEndpoint, at: datetime) -> Self:
        """Return the first version of an endpoint."""
        return cls(
            **dict(fields),
            id=endpoint_id,
            status=EndpointStatus.ENABLED,
            disabled_reason=None,
            version=1,
            created_at=at,
            updated_at=at,
        )

    def patched(self, patch: EndpointPatch, at: datetime) -> "Endpoint":
        """Return the next version, with `patch` applied. Raises ValidationFailed."""
        fields = patched(self, EndpointFields, patch)
        kept = self.disabled_reason if fields.status is self.status else None
        return self.changed(at, **dict(fields), disabled_reason=kept)

    def changed(self, at: datetime, **changes: object) -> "Endpoint":
        """Return the next version, with changes."""
        return self.model_copy(update=changes | {"version": self.version + 1, "updated_at": max(at, self.updated_at)})

    def wants(self, event_type: str, at: datetime) -> bool:
        """Return whether an event of this type and time is delivered to it: one that is not older than itself."""
        return self.sees(at) and (self.types is None or event_type in self.types)

    def sees(self, at: datetime) -> bool:
        """Return whether events of this time are of interest to it."""
        return self.status is EndpointStatus.ENABLED and at >= self.created_at


class EndpointWithSecret(Endpoint):
    """An endpoint, and the secret that signs what is sent to it. It is shown once."""

    secret: str


class DeliveryStatus(StrEnum):
    """Status of a delivery. A failed one was given up, and can be retried."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Attempt(Model):
    """An attempt to deliver: the HTTP status that came back, if one did, and what went wrong."""

    at: Timestamp
    status: int | None
    duration_ms: int
    error: str | None


class Delivery(Model):
    """Delivery of an event to an endpoint, with its last attempts."""

    event_id: str
    type: str
    status: DeliveryStatus
    attempts: list[Attempt]
    next_attempt_at: Timestamp | None


def pause_before(attempt: int, chance: Random) -> timedelta | None:
    """Return the pause before an attempt (numbered from 0), with jitter; None if there is none any more."""
    if attempt >= len(PAUSES):
        return None
    pause: timedelta = PAUSES[attempt] * chance.uniform(1 - _JITTER, 1 + _JITTER)
    return pause


def rest_after(failures: int, chance: Random) -> timedelta | None:
    """Return for how long an endpoint is left alone after a number of failures in a row; None if it is not."""
    if failures < PATIENCE:
        return None
    rest: timedelta = min(_FIRST_REST * 2 ** min(failures - PATIENCE, 10), _LONGEST_REST)
    return rest * chance.uniform(1 - _JITTER, 1 + _JITTER)
