"""Base class and field types of the domain's models."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, PlainSerializer
from pydantic_core import PydanticCustomError

_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_CONTROLS_BUT_LINES = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"

SingleLine = Annotated[str, Field(pattern=rf"^[^{_CONTROLS}]*[^{_CONTROLS}\s][^{_CONTROLS}]*$")]
"""One line of text: not blank, no control characters."""

Text = Annotated[str, Field(pattern=rf"^[^{_CONTROLS_BUT_LINES}]*$")]
"""Text without control characters, except tabs and line breaks."""


def _is_number(value: object) -> object:
    if isinstance(value, bool | str):
        raise PydanticCustomError("int_type", "Must be a whole number")
    return value


A_NUMBER = BeforeValidator(_is_number)
"""Rejects strings and booleans for an int field: 3 and 3.0 are valid, "3" and true are not. Last in Annotated."""


def at_most(count: int) -> BeforeValidator:
    """Return a validator that rejects a list of more than `count` entries before each entry is validated."""

    def check(value: object) -> object:
        if isinstance(value, list) and len(value) > count:
            raise PydanticCustomError("too_long", "There may be {count} entries at most", {"count": count})
        return value

    return BeforeValidator(check)


def to_rfc3339(moment: datetime) -> str:
    """Return an aware time as RFC 3339 text in UTC with milliseconds, which sorts by time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_milliseconds(moment: datetime) -> datetime:
    """Return a time without what is finer than milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Timestamp = Annotated[
    datetime,
    AfterValidator(to_milliseconds),
    PlainSerializer(to_rfc3339, return_type=str, when_used="json"),
    Field(json_schema_extra={"format": "date-time", "examples": ["2026-11-21T08:00:00.000Z"]}),
]
"""Time in the precision of the API: milliseconds, shown in UTC."""


class Model(BaseModel):
    """Immutable model that rejects unknown fields. Errors do not repeat input, as it may contain personal data."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def json_of(model: BaseModel) -> dict[str, Any]:
    """Return a model as the JSON object that the API returns."""
    shown: dict[str, Any] = model.model_dump(mode="json")
    return shown


type JsonObject = dict[str, JsonValue]
"""Free JSON object that clients attach to a resource."""


def attributes_json(attributes: JsonObject) -> str:
    """Return attributes as compact JSON text. Raises ValueError for invalid values (infinity, lone surrogates)."""
    text = json.dumps(attributes, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()
    return text


def of_kilobytes(limit: int) -> Callable[[JsonObject], JsonObject]:
    """Return a validator that refuses attributes with more than `limit` KB of JSON."""

    def check(attributes: JsonObject) -> JsonObject:
        try:
            size = len(attributes_json(attributes).encode())
        except ValueError:
            raise PydanticCustomError("attributes_json", "A number or text in it is not valid JSON") from None
        if size > limit * 1024:
            raise PydanticCustomError(
                "attributes_too_large", "Attributes may take {limit} KB of JSON at most", {"limit": limit}
            )
        return attributes

    return check
