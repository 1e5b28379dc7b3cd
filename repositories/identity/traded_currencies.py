"""Which currencies a tenant trades in."""

from collections import OrderedDict

from domain.common.environment import monotonic
from domain.common.errors import Flaw
from domain.common.validation import invalid_input
from repositories.dynamodb import keys
from repositories.dynamodb.session import Session

KNOWN_SECONDS = 60
_KEPT = 1000

_known: OrderedDict[str, tuple[float, frozenset[str]]] = OrderedDict()
"""By tenant: when its currencies were read, and which they are."""


def require_currency(session: Session, currency: str) -> None:
    """Raise ValidationFailed if the caller's tenant does not trade in a currency.

    A tenant that names none, or has no row, trades in any. A warm function asks once a minute.
    """
    traded = _currencies(session)
    if traded and currency not in traded:
        detail = f"The tenant trades in {', '.join(sorted(traded))}."
        raise invalid_input([Flaw("/price/currency", "CURRENCY_NOT_TRADED", detail)])


def _currencies(session: Session) -> frozenset[str]:
    read_at, traded = _known.get(session.tenant, (float("-inf"), frozenset()))
    if monotonic() - read_at > KNOWN_SECONDS:
        row = session.table.get(keys.tenant(session.tenant))
        traded = frozenset(row["tenant"]["currencies"] if row else ())
        _known[session.tenant] = (monotonic(), traded)
        if len(_known) > _KEPT:
            _known.popitem(last=False)
    return traded
