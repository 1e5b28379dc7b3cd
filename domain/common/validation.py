"""Conversion of pydantic errors to flaws with JSON pointers."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from domain.common.errors import Flaw, ValidationFailed

_UNION_BRANCHES = ("kind-", "function-", "dict[", "list[", "nullable", "json-", "constrained-")


def pointer(path: Iterable[str | int]) -> str:
    """Return a path as a JSON pointer (RFC 6901): `("lines", 1)` is `/lines/1`."""
    return "".join(
        f"/{str(part).replace('~', '~0').replace('/', '~1')}"
        for part in path
        if not str(part).startswith(_UNION_BRANCHES)
    )


def flaw(error: Mapping[str, Any], path: Iterable[str | int]) -> Flaw:
    """Return a pydantic error as a flaw at `path`, without the input."""
    return Flaw(pointer(path), str(error["type"]).upper(), str(error["msg"]))


def validated[M: BaseModel](model: type[M], value: Any) -> M:
    """Return `value` (parsed JSON) as a model. Raises ValidationFailed with a flaw for each error."""
    try:
        return model.model_validate(value)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False, include_input=False)
        raise invalid_input(flaw(error, error["loc"]) for error in errors) from None


def invalid_input(flaws: Iterable[Flaw]) -> ValidationFailed:
    """Return a ValidationFailed error with these flaws."""
    return ValidationFailed("The request is not valid; `errors` says where.", *flaws)
