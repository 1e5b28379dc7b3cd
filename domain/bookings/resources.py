"""Resources whose time is sold: rooms, tables, people, things for hire."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import MISSING, Field, model_validator
from pydantic_core import PydanticCustomError

from domain.bookings.calendar import DAY_PAGES, LONG_PAGES, LONGEST_BY_DAY, seconds
from domain.bookings.hours import (
    ALWAYS,
    MAX_EXCEPTIONS,
    MAX_RULES,
    OpeningException,
    Span,
    WeeklyHours,
    Zone,
    merged,
    open_spans,
)
from domain.common.errors import InvalidState
from domain.common.merge_patch import patched
from domain.common.model import A_NUMBER, Model, SingleLine, Timestamp, at_most
from domain.common.money import Money, MoneyPatch

MAX_CAPACITY = 10_000
_DAY_MINUTES = 1440
MAX_MINUTES = 732 * _DAY_MINUTES
MAX_HORIZON_DAYS = 1100

Name = Annotated[SingleLine, Field(max_length=200, examples=["Meeting room 1"])]
Capacity = Annotated[int, Field(ge=1, le=MAX_CAPACITY, examples=[1]), A_NUMBER]
Hours = Annotated[list[WeeklyHours], Field(max_length=MAX_RULES), at_most(MAX_RULES)]
Exceptions = Annotated[list[OpeningException], Field(max_length=MAX_EXCEPTIONS), at_most(MAX_EXCEPTIONS)]
Slot = Annotated[int, Field(ge=1, le=_DAY_MINUTES, examples=[30]), A_NUMBER]
Duration = Annotated[int, Field(ge=1, le=MAX_MINUTES, examples=[60]), A_NUMBER]
Lead = Annotated[int, Field(ge=0, le=MAX_MINUTES, examples=[60]), A_NUMBER]
Horizon = Annotated[int, Field(ge=1, le=MAX_HORIZON_DAYS, examples=[90]), A_NUMBER]
Buffer = Annotated[int, Field(ge=0, le=_DAY_MINUTES // 2, examples=[15]), A_NUMBER]


class ResourceStatus(StrEnum):
    """Status of a resource. An archived one cannot be booked; its bookings stay."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class Per(StrEnum):
    """What a price is for: the booking as it is, each unit of it, or each unit for each hour or night."""

    BOOKING = "booking"
    HOUR = "hour"
    NIGHT = "night"
    UNIT = "unit"


class Price(Model):
    """Price of a booking."""

    per: Per
    amount: Money


class PricePatch(Model):
    """A change to what the price is for, or to its amount."""

    per: Per | MISSING = MISSING
    amount: MoneyPatch | MISSING = MISSING


class ResourceFields(Model):
    """Fields of a resource that can be changed. Bookings that were made keep their time and price."""

    name: Name
    capacity: Capacity = 1
    """Units that can be taken at the same time."""
    timezone: Zone = "UTC"
    hours: Hours = Field(default_factory=lambda: [ALWAYS])
    exceptions: Exceptions = Field(default_factory=list)
    slot_minutes: Slot | None = None
    """Distance of the times at which a booking can begin, from the beginning of opening hours on; null: any time."""
    min_minutes: Duration = 15
    max_minutes: Duration = _DAY_MINUTES
    lead_minutes: Lead = 0
    """Time between a booking and its beginning, at least."""
    horizon_days: Horizon = 365
    """Days from now on within which a booking can begin."""
    buffer_before_minutes: Buffer = 0
    """Time before a booking in which its units are taken too."""
    buffer_after_minutes: Buffer = 0
    price: Price | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.min_minutes > self.max_minutes:
            raise PydanticCustomError("minutes_reversed", "min_minutes must not be more than max_minutes")
        return self


class NewResource(ResourceFields):
    """A new resource."""

    @property
    def page_days(self) -> int:
        """Days that a page of its calendar covers."""
        return DAY_PAGES if timedelta(minutes=self.max_minutes) <= LONGEST_BY_DAY else LONG_PAGES


class ResourcePatch(Model):
    """A JSON merge patch (RFC 7396) of a resource. Fields left out are unchanged; lists are replaced as a whole."""

    name: Name | MISSING = MISSING
    capacity: Capacity | MISSING = MISSING
    timezone: Zone | MISSING = MISSING
    hours: Hours | MISSING = MISSING
    exceptions: Exceptions | MISSING = MISSING
    slot_minutes: Slot | MISSING | None = MISSING
    min_minutes: Duration | MISSING = MISSING
    max_minutes: Duration | MISSING = MISSING
    lead_minutes: Lead | MISSING = MISSING
    horizon_days: Horizon | MISSING = MISSING
    buffer_before_minutes: Buffer | MISSING = MISSING
    buffer_after_minutes: Buffer | MISSING = MISSING
    price: PricePatch | MISSING | None = MISSING


class Resource(ResourceFields):
    """A resource, and the rules by which it can be booked."""

    id: str
    status: ResourceStatus
    version: int
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def new(cls, resource_id: str, fields: NewResource, at: datetime) -> Self:
        """Return the first version of a resource."""
        shown = dict(fields) | {"id": resource_id, "status": ResourceStatus.ACTIVE, "version": 1}
        return cls(**shown, created_at=at, updated_at=at)

    def patched(self, patch: ResourcePatch) -> ResourceFields:
        """Return the fields with `patch` applied. Raises InvalidState if it is archived, ValidationFailed."""
        if self.status is ResourceStatus.ARCHIVED:
            raise InvalidState("The resource is archived.")
        return patched(self, ResourceFields, patch)

    def changed(self, at: datetime, **changes: Any) -> Self:
        """Return the next version."""
        update = changes | {"version": self.version + 1, "updated_at": max(at, self.updated_at)}
        return self.model_copy(update=update)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)

    def opening(self, within: Span) -> list[Span]:
        """Return the spans in which it is open, by date, that overlap with one."""
        spans = open_spans(self.hours, self.exceptions, self.zone, within)
        return [span for span in spans if span.start < within.end and within.start < span.end]

    def is_open(self, during: Span) -> bool:
        """Return whether it is open during all of a span."""
        return any(span.contains(during) for span in merged(iter(self.opening(during))))

    def is_on_slot(self, during: Span) -> bool:
        """Return whether a booking may begin when a span does."""
        if self.slot_minutes is None:
            return True
        begins, step = seconds(during.start), self.slot_minutes * 60
        return any(
            (begins - seconds(span.start)) % step == 0
            for span in self.opening(during)
            if span.start <= during.start < span.end
        )

    def occupied(self, during: Span) -> Span:
        """Return the span that a booking takes, with its buffers."""
        before, after = timedelta(minutes=self.buffer_before_minutes), timedelta(minutes=self.buffer_after_minutes)
        return Span(during.start - before, during.end + after)
