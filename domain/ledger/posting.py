"""Posting: appends the entries of a transaction to the chains of its accounts."""

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
"""Maximum clock skew. A chain with a head further in the future rejects entries until the clock has caught up."""
SETTLED_AFTER = timedelta(seconds=30)
"""Age at which an instant is final: transactions commit within seconds, so none can be posted at it any more."""


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Last entry of a stripe of an account: its number, balance and time. An empty stripe has number 0 and no time."""

    account: Account
    stripe: int
    sequence: int = 0
    balance: int = 0
    """Balance in minor units, in the account's normal direction."""
    at: datetime | None = None

    def extended(self, direction: Direction, minor: int, at: datetime) -> "ChainHead":
        """Return the chain head after one more entry of `minor` minor units."""
        grows = direction is self.account.normal
        balance = self.balance + (minor if grows else -minor)
        return ChainHead(self.account, self.stripe, self.sequence + 1, balance, at)


@dataclass(frozen=True, slots=True)
class PlannedEntry:
    """An entry to append: its index in the transaction, and the chain head after it."""

    index: int
    head: ChainHead
    more: int = 0
    """Number of entries of the same transaction that follow in the same chain."""


def posting_time(now: datetime, heads: Sequence[ChainHead]) -> datetime:
    """Return the time of a transaction on these chains: `now`, or the latest head's time if that is later.

    Times never decrease along a chain. Raises Unavailable if a head is more than `MAX_SKEW` ahead of `now`.
    """
    last = max((head.at for head in heads if head.at), default=now)
    if last > now + MAX_SKEW:
        raise Unavailable
    return max(now, last)


def require_postable(entries: Sequence[NewEntry], accounts: Mapping[str, Account]) -> None:
    """Raise ValidationFailed with a flaw for each entry on a missing or closed account, or in another currency."""
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
    """Return each entry with the chain head after it, in the order of `entries`. Raises InsufficientFunds.

    Entries of one account are appended in a fixed order: those that increase its balance first, and among each kind
    larger amounts first. The order in the request therefore does not matter, and a floor that holds at the end also
    holds in between.
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
