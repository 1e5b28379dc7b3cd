"""Codes that people write: SKUs and codes of discounts."""

import unicodedata
from typing import Annotated

from pydantic import BeforeValidator, Field


def composed[T](text: T) -> T | str:
    """Return text in Unicode's composed form (NFC); return other values unchanged."""
    return unicodedata.normalize("NFC", text) if isinstance(text, str) else text


_UNSEEN = r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
"""Invisible control and format characters, excluded so that SKUs that look the same are the same."""
Sku = Annotated[
    str,
    Field(
        max_length=64,
        pattern=rf"^[^{_UNSEEN}\s]([^{_UNSEEN}]*[^{_UNSEEN}\s])?$",
        examples=["MUG-RED"],
    ),
    BeforeValidator(composed),
]
"""Stock keeping unit in Unicode's composed form, so that equal text has one encoding."""

DiscountCode = Annotated[Sku, Field(examples=["SUMMER10"])]
"""Code of a discount, written as SKUs are. Codes are compared without case."""


def canonical_code(code: str) -> str:
    """Return the form of a discount code by which codes are compared: Unicode's canonical caseless matching (D145)."""
    return str(composed(unicodedata.normalize("NFD", code).casefold()))
