"""Opening hours of a resource: weekly rules and exceptions by date, in the wall time of its zone."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from domain.common.model import Model

MAX_RULES = 50
MAX_EXCEPTIONS = 400

_WALL_TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
_WALL_TIME_OR_END = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_ZONE = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$"
_DAY = timedelta(days=1)


class Weekday(StrEnum):
    """Day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_WEEK = list(Weekday)
"""Days in the order of `date.weekday`."""


def _is_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # also for the name of a folder of the database
        raise PydanticCustomError("timezone_unknown", "Must be a time zone such as Europe/Berlin") from None
    return name


Zone = Annotated[str, AfterValidator(_is_zone), Field(pattern=_ZONE, max_length=64, examples=["Europe/Berlin"])]
"""Name of a time zone of the IANA database (RFC 6557)."""
Opens = Annotated[str, Field(pattern=_WALL_TIME, examples=["09:00"])]
Closes = Annotated[str, Field(pattern=_WALL_TIME_OR_END, examples=["17:00"])]


class Span(NamedTuple):
    """Time from `start` to before `end`, in UTC."""

    start: datetime
    end: datetime

    def contains(self, other: "Span") -> bool:
        """Return whether another span lies in this one."""
        return self.start <= other.start and other.end <= self.end


class WeeklyHours(Model):
    """Hours in which a resource is open on some days of the week. `to` may be 24:00, the end of the day."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    days: Annotated[list[Weekday], Field(min_length=1, max_length=7, examples=[["mon", "tue"]])]
    opens: Opens = Field(alias="from")
    closes: Closes = Field(alias="to")

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        _require_ordered(self.opens, self.closes)
        return self


class OpeningException(Model):
    """Hours of one date, instead of those of its day of the week; or that the resource is closed then.

    A date may have several.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    date: date
    closed: StrictBool = False
    opens: Opens | None = Field(None, alias="from")
    closes: Closes | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if self.closed == (self.opens is not None) or (self.opens is None) != (self.closes is None):
            raise PydanticCustomError("exception_kind", "Either `closed` or both `from` and `to` must be set")
        if self.opens and self.closes:
            _require_ordered(self.opens, self.closes)
        return self


def _require_ordered(opens: str, closes: str) -> None:
    if opens >= closes:
        raise PydanticCustomError("hours_reversed", "`from` must be before `to`; hours over midnight are two entries")


ALWAYS = WeeklyHours(days=_WEEK, opens="00:00", closes="24:00")


def instant(day: date, wall: str, zone: ZoneInfo) -> datetime:
    """Return the instant of a wall time (`09:30`, or `24:00`) on a date, in UTC.

    Where clocks go forward, a time that does not exist is taken as if they had not; where they go back, the first of
    two is taken (RFC 5545, section 3.3.5).
    """
    hours, minutes = int(wall[:2]), int(wall[3:])
    day += _DAY * (hours // 24)
    return datetime(day.year, day.month, day.day, hours % 24, minutes, tzinfo=zone).astimezone(UTC)


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """Return the date of an instant in a zone."""
    return at.astimezone(zone).date()


def open_spans(
    hours: Sequence[WeeklyHours], exceptions: Sequence[OpeningException], zone: ZoneInfo, within: Span
) -> Iterator[Span]:
    """Yield the spans that rules give for each date that `within` touches, by date; those of one date may overlap."""
    by_date: dict[date, list[OpeningException]] = {}
    for each in exceptions:
        by_date.setdefault(each.date, []).append(each)
    day, last = local_date(within.start, zone) - _DAY, local_date(within.end, zone)
    while day <= last:
        for opens, closes in _hours_of(day, hours, by_date.get(day)):
            span = Span(instant(day, opens, zone), instant(day, closes, zone))
            if span.start < span.end:  # not if clocks go forward over all of it
                yield span
        day += _DAY


def _hours_of(
    day: date, hours: Sequence[WeeklyHours], exceptions: Sequence[OpeningException] | None
) -> Iterator[tuple[str, str]]:
    if exceptions is not None:
        yield from ((each.opens, each.closes) for each in exceptions if each.opens and each.closes)
        return
    weekday = _WEEK[day.weekday()]
    yield from ((each.opens, each.closes) for each in hours if weekday in each.days)


def merged(spans: Iterator[Span]) -> list[Span]:
    """Return spans in order, those that touch or overlap as one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found
