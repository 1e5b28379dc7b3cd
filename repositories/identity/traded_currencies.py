"""Currencies that a tenant trades in."""

from domain.common.errors import Flaw
from domain.common.validation import invalid_input
from repositories.aws.ttl_cache import TtlCache
from repositories.dynamodb import keys
from repositories.dynamodb.session import Session
from repositories.identity.tenant_rows import tenant_fields

MAX_AGE_SECONDS = 60
"""Seconds for which a warm function uses a tenant's currencies without reading them again."""

cache: TtlCache[str, frozenset[str]] = TtlCache(1000)
"""Currencies by tenant."""


def require_currency(session: Session, currency: str, pointer: str = "/price/currency") -> None:
    """Raise ValidationFailed if the caller's tenant does not trade in a currency.

    A tenant that lists no currencies, or has no row, trades in any.
    """
    traded = cache.get(session.tenant, lambda: _read(session), max_age=MAX_AGE_SECONDS)
    if traded and currency not in traded:
        detail = f"The tenant trades in {', '.join(sorted(traded))}."
        raise invalid_input([Flaw(pointer, "CURRENCY_NOT_TRADED", detail)])


def _read(session: Session) -> frozenset[str]:
    row = session.table.get(keys.tenant(session.tenant))
    return frozenset(tenant_fields(row)["currencies"] if row else ())
