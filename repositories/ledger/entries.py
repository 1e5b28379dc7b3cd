"""An account's entries, newest first, merged over its stripes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.common.environment import in_parallel
from domain.common.money import Money, SignedMoney
from domain.common.pages import Page, PageRequest
from domain.ledger.accounts import Account
from domain.ledger.reports import Entry
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale
from repositories.paging.cursors import seal, unseal


@dataclass(frozen=True, slots=True)
class _Stripe:
    """A stripe, and the sequence number before which its entries are still to be returned."""

    number: int
    before: int


def entries_page(session: Session, account: Account, page: PageRequest) -> Page[Entry]:
    """Return a page of an account's entries, newest first, and the cursor of the next, if any follows.

    The cursor has the position in each stripe. Entries never change, so all pages together return each once. Stripes
    that were added since have only newer entries. Raises CursorInvalid, Stale.
    """
    query = keys.chain_pk(session.tenant, account.id, 0)
    stripes = _stripes(account, page.cursor, query)

    def read(stripe: _Stripe) -> list[Entry]:
        first, before = (keys.entry(session.tenant, account.id, stripe.number, each) for each in (1, stripe.before - 1))
        values = {":pk": first.pk, ":first": first.sk, ":last": before.sk}
        condition = "pk = :pk AND sk BETWEEN :first AND :last"
        rows = session.table.query(condition, values, limit=page.limit + 2, newest_first=True, consistent=True).rows
        to_the_first = len(rows) < page.limit + 2
        rows = [row for row in rows if row["type"] == "entry"]
        _require_whole(rows, stripe, to_the_first=to_the_first)
        return [_entry(row, stripe.number) for row in rows]

    found = in_parallel(read, [stripe for stripe in stripes if stripe.before > 1])
    merged = sorted((entry for entries in found for entry in entries), key=_age, reverse=True)
    shown = merged[: page.limit]
    if len(merged) <= page.limit:
        return Page(items=shown, next_cursor=None)
    left = {stripe.number: stripe.before for stripe in stripes}
    left |= {entry.stripe: entry.sequence for entry in shown}
    place = ",".join(str(left[number]) for number in sorted(left))
    return Page(items=shown, next_cursor=seal(place, query))


def _require_whole(rows: Sequence[Row], stripe: _Stripe, *, to_the_first: bool) -> None:
    """Raise Stale if an entry before one of these, or after the newest in its transaction, is not visible yet.

    `to_the_first` is true if the query reached the beginning of the chain.
    """
    numbers = [row["sequence"] for row in rows]
    if stripe.before != _BEYOND:
        numbers.insert(0, stripe.before)
    elif rows and rows[0].get("more"):
        raise Stale
    if to_the_first and numbers:
        numbers.append(0)
    if any(newer != older + 1 for newer, older in pairwise(numbers)):
        raise Stale


def _age(entry: Entry) -> tuple[object, ...]:
    return entry.posted_at, entry.stripe, entry.sequence


def _stripes(account: Account, cursor: str | None, query: str) -> list[_Stripe]:
    if cursor:
        places = unseal(cursor, query).split(",")
        return [_Stripe(number, int(place)) for number, place in enumerate(places)]
    return [_Stripe(number, _BEYOND) for number in range(account.stripes)]


_BEYOND = 10**12
"""Sequence number above that of any entry."""


def _entry(row: Row, stripe: int) -> Entry:
    """Return the entry of a row."""
    return Entry(
        sequence=row["sequence"],
        stripe=stripe,
        transaction_id=row["transaction_id"],
        direction=row["direction"],
        amount=Money.of_minor(row["amount"], row["currency"]),
        balance_after=SignedMoney.of_minor(row["balance"], row["currency"]),
        posted_at=row["posted_at"],
    )
