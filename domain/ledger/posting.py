"""Posting: appending the entries of a transaction to the chains of its accounts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from domain.common.errors import Flaw, InsufficientFunds, Unavailable
from domain.common.money import SignedMoney
from domain.common.validation import invalid_input
from domain.ledger.accounts import Account, AccountStatus, Direction
from domain.ledger.transactions import NewEntry

MAX_SKEW = timedelta(seconds=2)
"""Maximum difference between clocks. A chain that is further ahead is not appended to until the clock has caught up."""
SETTLED_AFTER = timedelta(seconds=30)
"""Time after which no transaction can be posted at an instant any more: each is committed within seconds."""


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where a stripe of an account ends: the number, balance and time of its last entry."""

    account: Account
    stripe: int
    sequence: int = 0
    balance: int = 0
    """In minor units, in the account's normal direction."""
    at: datetime | None = None

    def extended(self, direction: Direction, minor: int, at: datetime) -> "ChainHead":
        """Return the end after one more entry."""
        grows = direction is self.account.normal
        balance = self.balance + (minor if grows else -minor)
        return ChainHead(self.account, self.stripe, self.sequence + 1, balance, at)


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """An entry on its way into a chain: which of the transaction's entries it is, and the chain's end after it."""

    index: int
    head: ChainHead
    more: int = 0
    """How many entries of the same transaction follow in the same chain."""


def posting_time(now: datetime, heads: Sequence[ChainHead]) -> datetime:
    """Return the time of a transaction on these chains: times rise in each. Raises Unavailable if one is far ahead."""
    last = max((head.at for head in heads if head.at), default=now)
    if last > now + MAX_SKEW:
        raise Unavailable
    return max(now, last)


def require_postable(entries: Sequence[NewEntry], accounts: Mapping[str, Account]) -> None:
    """Raise ValidationFailed with a flaw for each entry whose account is not there, closed or in another currency."""
    flaws = []
    for index, entry in enumerate(entries):
        account = accounts.get(entry.account_id)
        if account is None:
            flaws.append(Flaw(f"/entries/{index}/account_id", "NOT_FOUND", "There is no such account."))
        elif account.status is AccountStatus.CLOSED:
            flaws.append(Flaw(f"/entries/{index}/account_id", "ACCOUNT_CLOSED", "The account is closed."))
        elif account.currency != entry.amount.currency:
            detail = f"The account is in {account.currency}."
            flaws.append(Flaw(f"/entries/{index}/amount/currency", "CURRENCY_MISMATCH", detail))
    if flaws:
        raise invalid_input(flaws)


def append_entries(entries: Sequence[NewEntry], heads: Mapping[str, ChainHead], at: datetime) -> list[PlannedEntry]:
    """Return each entry's place in its account's chain. Raises InsufficientFunds where a floor would be crossed.

    Of one account, entries that let the balance grow come first, then larger ones, so that no order in which a client
    names them makes a difference, and a floor that holds at the end holds in between.
    """
    ends = dict(heads)
    posted = []

    def place(index: int) -> tuple[Any, ...]:
        entry = entries[index]
        return entry.direction is not heads[entry.account_id].account.normal, -entry.amount.minor

    for index in sorted(range(len(entries)), key=place):
        entry = entries[index]
        end = ends[entry.account_id].extended(entry.direction, entry.amount.minor, at)
        ends[entry.account_id] = end
        posted.append(PlannedEntry(index, end))
    _require_floors(entries, ends)
    last = {head.account.id: head.sequence for head in ends.values()}
    counted = [replace(each, more=last[each.head.account.id] - each.head.sequence) for each in posted]
    return sorted(counted, key=lambda each: each.index)


def _require_floors(entries: Sequence[NewEntry], ends: Mapping[str, ChainHead]) -> None:
    flaws = []
    for index, entry in enumerate(entries):
        end = ends[entry.account_id]
        floor = end.account.floor_minor
        if floor is not None and end.balance < floor and entry.direction is not end.account.normal:
            detail = f"It would leave {SignedMoney.of_minor(end.balance, end.account.currency)}."
            flaws.append(Flaw(f"/entries/{index}", "INSUFFICIENT_FUNDS", detail))
    if flaws:
        raise InsufficientFunds(*flaws)
