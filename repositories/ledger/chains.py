"""Reads of accounts and their chain heads, now or at an instant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.common.environment import chance, in_parallel
from domain.common.ids import is_id
from domain.ledger.accounts import Account
from domain.ledger.posting import ChainHead
from domain.ledger.search import WINDOW, last_until
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import Stale
from repositories.ledger.rows import account_from_row, head_of


@dataclass(frozen=True, slots=True)
class Chains:
    """The accounts and chains of a tenant."""

    table: Table
    tenant: str

    def first(self, account_id: str) -> ChainHead | None:
        """Return the head of an account's first stripe, or None without an account. Raises Stale.

        One read is enough, as the account's row follows the last entry. The result is also None while an account is
        being opened and its entries are visible, but its row is not.
        """
        if not is_id("acct", account_id):
            return None
        rows = self._last(account_id, 0, 2)
        if not rows or rows[0]["type"] != "account":
            return None
        return _end(account_from_row(rows[0]), 0, rows[1] if len(rows) > 1 else None)

    def all(self, account_id: str) -> list[ChainHead]:
        """Return the heads of all stripes of an account; empty without an account. Raises Stale."""
        first = self.first(account_id)
        if first is None:
            return []
        return [first, *(self._head(first.account, stripe) for stripe in range(1, first.account.stripes))]

    def to_write(self, account_ids: Iterable[str]) -> dict[str, ChainHead]:
        """Return the head of one stripe, picked at random, for each account that exists. Raises Stale."""
        wanted = sorted(set(account_ids))
        picked = in_parallel(self._picked, wanted)
        return {account_id: head for account_id, head in zip(wanted, picked, strict=True) if head}

    def at(self, head: ChainHead, instant: datetime) -> ChainHead:
        """Return the head of a stripe at an instant; `head` is the current one. Raises Stale."""
        account, stripe = head.account, head.stripe
        if head.at is None or head.at <= instant:
            return head
        low = self._search(head, instant)
        rows = [
            row for row in self._window(account, stripe, low) if datetime.fromisoformat(row["posted_at"]) <= instant
        ]
        return _end(account, stripe, rows[-1] if rows else None)

    def _search(self, head: ChainHead, instant: datetime) -> int:
        times = self._times(head.account, head.stripe, [1])
        if head.at is None:
            return 0
        return last_until(
            instant, times[1], (head.sequence, head.at), lambda numbers: self._times(head.account, head.stripe, numbers)
        )

    def _picked(self, account_id: str) -> ChainHead | None:
        first = self.first(account_id)
        stripe = chance().randrange(first.account.stripes) if first else 0
        return self._head(first.account, stripe) if first and stripe else first

    def _head(self, account: Account, stripe: int) -> ChainHead:
        return _end(account, stripe, next(iter(self._last(account.id, stripe, 1)), None))

    def _last(self, account_id: str, stripe: int, count: int) -> list[Row]:
        """Return the last `count` rows of a stripe's partition, last one first."""
        pk = keys.chain_pk(self.tenant, account_id, stripe)
        return self.table.query("pk = :pk", {":pk": pk}, limit=count, newest_first=True, consistent=True).rows

    def _times(self, account: Account, stripe: int, numbers: Sequence[int]) -> Mapping[int, datetime]:
        wanted = {keys.entry(self.tenant, account.id, stripe, number): number for number in numbers}
        rows = self.table.batch_get(wanted)
        if len(rows) < len(wanted):
            # Entries before one that was read exist, but are not visible yet.
            raise Stale
        return {wanted[key]: datetime.fromisoformat(row["posted_at"]) for key, row in rows.items()}

    def _window(self, account: Account, stripe: int, low: int) -> list[Row]:
        first, last = (keys.entry(self.tenant, account.id, stripe, number) for number in (max(low, 1), low + WINDOW))
        values = {":pk": first.pk, ":first": first.sk, ":last": last.sk}
        rows = self.table.query("pk = :pk AND sk BETWEEN :first AND :last", values, consistent=True).rows
        return [row for row in rows if row["type"] == "entry"]


def _end(account: Account, stripe: int, row: Row | None) -> ChainHead:
    """Return the head of a stripe from its last row, if there is one.

    Raises Stale if further entries of the same transaction follow, which are not visible yet.
    """
    if row and row.get("more"):
        raise Stale
    return head_of(account, stripe, row)


def is_final(heads: Sequence[ChainHead], as_of: datetime, settled: datetime) -> bool:
    """Return whether nothing can be posted any more to an account at or before `as_of`.

    Either `as_of` is settled (every transaction up to `settled` has ended), or the account's chain has a later entry.
    The latter is enough only for accounts with a floor: others may get another chain, with entries that begin at any
    time.
    """
    if as_of <= settled:
        return True
    [head, *others] = heads
    return head.account.floor is not None and not others and head.at is not None and head.at > as_of
