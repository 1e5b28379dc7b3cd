"""Which balances are reconciled: those of accounts that are connected, from then on."""

from datetime import datetime, timedelta

from domain.common.errors import Contention, ProviderUnavailable
from domain.payments.movements import Movement
from repositories.dynamodb import keys
from repositories.dynamodb.session import Session
from repositories.payments.accounting.rows import NEW_ACCOUNT, Cursor, movement_row
from repositories.payments.credentials import Credentials
from repositories.payments.providers.clients import statements
from repositories.payments.providers.provider import OutcomeUnknown, Refused

_LATE, _SECOND = timedelta(hours=4), timedelta(seconds=1)
"""Longest time after which a provider shows a movement, and the precision of their times."""
_TRIES = 3
"""Attempts to read a balance while nothing moves it."""


def watch(session: Session, provider: str, account: str, given: Credentials) -> None:
    """Reconcile the balance of an account from now on; what it has before is what it opens with.

    Raises ProviderUnavailable, Contention, Unavailable.
    """
    cursor = _read(session, provider)
    due = session.at + NEW_ACCOUNT
    if cursor and cursor.account == account:
        _keep(session, provider, cursor.changed(due=due), cursor.version)
        return
    start, opening = _opening(session, provider, given)
    if cursor:  # what the books have of the account before is not at this one
        from repositories.payments.postings import booked

        opening = {code: minor - booked(session, provider, code) for code, minor in opening.items()}
    new = Cursor(
        account, start, start, due, (cursor.version if cursor else 0) + 1, opening=tuple(sorted(opening.items()))
    )
    _keep(session, provider, new, cursor.version if cursor else None)


def nudge(session: Session, provider: str) -> None:
    """Let a balance be reconciled soon, as something has happened to it. Raises Unavailable."""
    cursor = _read(session, provider)
    if cursor:
        _keep(session, provider, cursor.changed(due=session.at), cursor.version)


def forget(session: Session, provider: str, cursor: Cursor) -> None:
    """Reconcile a balance no more, until the account is connected again. Raises Unavailable."""
    row = cursor.changed().to_row(session.tenant, provider)
    kept = {name: value for name, value in row.items() if not name.startswith("gsi3")}
    session.table.put(kept, "version = :seen", {":seen": cursor.version})


def _read(session: Session, provider: str) -> Cursor | None:
    row = session.table.get(keys.provider_cursor(session.tenant, provider))
    return Cursor.from_row(row) if row else None


def _keep(session: Session, provider: str, cursor: Cursor, seen: int | None) -> None:
    """Store a cursor; if another request has, that one is as good."""
    row = cursor.to_row(session.tenant, provider)
    if seen is None:
        session.table.put(row, "attribute_not_exists(pk)", {})
    else:
        session.table.put(row, "version = :seen", {":seen": seen})


def _opening(session: Session, provider: str, given: Credentials) -> tuple[datetime, dict[str, int]]:
    """Return the balance of an account by currency, and since when movements are not in it.

    Those of the very second are noted as known. Nothing, if the credentials may not read the balance.
    """
    balance = statements(session, provider, given)

    def shown() -> tuple[datetime, list[Movement]]:
        found = balance.movements(session.at - _LATE, session.at + _SECOND, None)
        start = min(found.until, session.at).replace(microsecond=0)
        return start, [each for each in found.movements if each.at >= start]

    try:
        for _ in range(_TRIES):
            before, opening, after = shown(), dict(balance.balance()), shown()
            if before == after:
                for each in before[1]:
                    row = movement_row(session.tenant, provider, each, None)
                    session.table.put(row, "attribute_not_exists(pk)", {})
                return before[0], opening
    except Refused:
        return session.at, {}
    except OutcomeUnknown:
        raise ProviderUnavailable from None
    raise Contention
