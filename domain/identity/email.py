"""E-mail addresses and their canonical form."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_CANONICAL = 87
"""Maximum length of a canonical address: a user name in the pool has 128 characters for tenant (40), slash, address."""


def _is_address(text: str) -> str:
    canonical_email(text)
    return text


def canonical_email(text: str) -> str:
    """Return the form that all spellings of an address share, such as `jane@xn--bcher-kva.example`. Raises ValueError.

    The local part is normalized by Unicode NFKC and lowercased, the domain by IDNA (RFC 5891). Case folding is not
    used, as it would make `straße@` and `strasse@` equal, which can belong to two people.
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
"""E-mail address in the user's own spelling."""
