"""What every model of the domain has in common."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic_core import PydanticCustomError

_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_CONTROLS_BUT_LINES = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"

SingleLine = Annotated[str, Field(pattern=rf"^[^{_CONTROLS}]*[^{_CONTROLS}\s][^{_CONTROLS}]*$")]
"""One line of text: not blank, no control characters."""

Text = Annotated[str, Field(pattern=rf"^[^{_CONTROLS_BUT_LINES}]*$")]
"""Text that may have tabs and line breaks, but no other control characters."""


def _is_number(value: object) -> object:
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Must be a whole number")
    return value


A_NUMBER = BeforeValidator(_is_number)
"""Makes an int, last in its annotation, a JSON number without a fraction: 3 and 3.0, but neither "3" nor true."""


def at_most(count: int) -> BeforeValidator:
    """Return a validator that refuses a longer list before its entries are looked at: each could have flaws."""

    def check(value: object) -> object:
        if isinstance(value, list) and len(value) > count:
            raise PydanticCustomError("too_long", "There may be {count} entries at most", {"count": count})
        return value

    return BeforeValidator(check)


def to_rfc3339(moment: datetime) -> str:
    """Return an aware time as RFC 3339 text in UTC with milliseconds, which sorts as the times do."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _to_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Timestamp = Annotated[
    datetime,
    AfterValidator(_to_milliseconds),
    PlainSerializer(to_rfc3339, return_type=str, when_used="json"),
    Field(json_schema_extra={"format": "date-time", "examples": ["2026-11-21T08:00:00.000Z"]}),
]
"""A moment with the precision that the API shows: milliseconds, UTC."""


class Model(BaseModel):
    """An immutable value; fields that it does not know are an error. Errors do not repeat input: it may be personal."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def json_of(model: BaseModel) -> dict[str, Any]:
    """Return a model as the JSON object that the API shows."""
    shown: dict[str, Any] = model.model_dump(mode="json")
    return shown
