"""Points in time and time ranges as clients send them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.common.errors import Flaw
from domain.common.validation import invalid_input

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-9]{2}"
_RFC3339 = re.compile(rf"({_DATE}[Tt]{_CLOCK}(\.[0-9]{{1,6}})?)([0-9]*)([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})")
"""RFC 3339, section 5.6: the date and time, digits beyond microseconds, and the offset."""


def _is_moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _RFC3339.fullmatch(value)
    if not found or (found[3] and not found[2]):
        raise PydanticCustomError("time_form", "Must be a time such as 2026-11-21T08:00:00Z")
    return (found[1] + found[4]).upper()  # microseconds are as fine as it gets


def _is_date_or_moment(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(_DATE, value):
        return f"{value}T00:00:00Z"
    return _is_moment(value)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("time_range", "Must be between the years 1 and 9999 in UTC") from None


Moment = Annotated[
    AwareDatetime, BeforeValidator(_is_moment), AfterValidator(_in_utc), Field(examples=["2026-11-21T08:00:00Z"])
]
"""Time in RFC 3339 format ("date-time"), converted to UTC."""

DateOrMoment = Annotated[
    AwareDatetime,
    BeforeValidator(_is_date_or_moment),
    AfterValidator(_in_utc),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}],
            "examples": ["2026-11-21", "2026-11-21T08:00:00Z"],
        }
    ),
]
"""Time in RFC 3339 format, or a date ("full-date"), which is its beginning in UTC."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """The times from `start` to before `end`; None: without a bound on this side."""

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of_query(cls, start: datetime | None, end: datetime | None) -> "TimeRange":
        """Return the range of the query parameters `from` and `to`. Raises ValidationFailed if it is reversed."""
        if start and end and start > end:
            raise invalid_input([Flaw("/query/from", "RANGE_REVERSED", "`from` must not be after `to`.")])
        return cls(start, end)
