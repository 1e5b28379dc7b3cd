"""E-mail addresses, and when two of them are one."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_CANONICAL = 87
"""A name in a user pool has 128 characters at most, and holds a tenant of 40, a slash and an address."""


def _is_address(text: str) -> str:
    canonical_email(text)
    return text


def canonical_email(text: str) -> str:
    """Return what every spelling of an address has in common, such as `jane@xn--bcher-kva.example`.

    The local part by Unicode NFKC in lower case, the domain by IDNA (RFC 5891). Not by case folding, which would make
    one of `straße@` and `strasse@`: two people's. Raises ValueError.
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        valid = validate_email(unicodedata.normalize("NFKC", text), check_deliverability=False)
    except EmailNotValidError as invalid:
        raise PydanticCustomError("email", "Not an e-mail address: {reason}", {"reason": str(invalid)}) from None
    domain = valid.ascii_domain or valid.domain
    canonical = f"{unicodedata.normalize('NFKC', valid.local_part).lower()}@{domain.lower()}"
    if len(canonical) > MAX_CANONICAL:
        raise PydanticCustomError("email_too_long", "An address may have {max} characters", {"max": MAX_CANONICAL})
    return canonical


EmailAddress = Annotated[
    str,
    Field(max_length=254, json_schema_extra={"format": "email"}, examples=["jane@example.com"]),
    AfterValidator(_is_address),
]
"""An e-mail address as its owner writes it."""
