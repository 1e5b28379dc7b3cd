"""Every account's balance at one instant."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.common.environment import in_parallel, monotonic, now
from domain.common.errors import Contention, InvalidState, Unavailable
from domain.common.money import Money
from domain.ledger.accounts import Account, Direction
from domain.ledger.posting import SETTLED_AFTER, ChainHead
from domain.ledger.reports import TrialAccount, TrialBalance, TrialTotal
from domain.ledger.transactions import signed
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.session import Session
from repositories.ledger.chains import Chains

MAX_ACCOUNTS = 1000
"""Accounts of a trial balance: each takes some reads, and a function's time is limited."""
_COLLECTIONS = 5
"""How often an instant that is not settled is read again before it is given up: it must be read twice alike."""

type Collected = list[list[ChainHead]]
"""For each account where its stripes ended at an instant."""


@dataclass(frozen=True, slots=True)
class TrialBalances:
    """The trial balances of the caller's tenant."""

    session: Session

    def at(self, as_of: datetime | None) -> TrialBalance:
        """Return every account's balance at one instant, or now.

        What is settled cannot change, so that one reading is exact. Before that, chains that are read one after the
        other may be read on either side of a posting: all are read until two readings are alike, which were so at the
        moment between the two, and debits equal credits, as a posting may be visible in one chain and not yet in
        another. Where others post too fast for that, "now" is the instant that is just settled.

        Raises InvalidState for more than `MAX_ACCOUNTS` accounts, Unavailable if there is no time for so many,
        Contention for an instant that is not settled and cannot be read.
        """
        instant = as_of or now()
        settled = self.session.at - SETTLED_AFTER
        if instant > settled:
            try:
                return self._trial(instant, self._twice_alike(instant))
            except Contention:
                if as_of:
                    raise
                instant = settled
        return self._trial(instant, self.session.retry_on_conflict(lambda: self._collected(instant)))

    def _twice_alike(self, instant: datetime) -> Collected:
        before = None
        for _ in range(_COLLECTIONS):
            again = self.session.retry_on_conflict(lambda: self._collected(instant))
            if before is not None and _places(again) == _places(before) and _balances(again):
                return again
            before = again
        raise Contention

    def _collected(self, instant: datetime) -> Collected:
        register = list(self.session.table.whole_partition(keys.account_code(self.session.tenant, "").pk))
        if len(register) > MAX_ACCOUNTS:
            raise InvalidState(
                f"The books have {len(register):,} accounts, and a trial balance at most {MAX_ACCOUNTS:,}: "
                "ask for accounts' balances one by one, or let an operator audit the books."
            )
        chains = Chains(self.session.table, self.session.tenant)

        def collect(row: Row) -> list[ChainHead]:
            if monotonic() >= self.session.deadline:
                raise Unavailable
            return [chains.at(head, instant) for head in chains.all(row["account_id"])]

        # An account that is registered and not visible is just being opened: what it has is newer than what is settled,
        # and before that the others do not balance without it.
        return [heads for heads in in_parallel(collect, register) if heads]

    def _trial(self, instant: datetime, collected: Collected) -> TrialBalance:
        sums: dict[str, dict[Direction, int]] = defaultdict(lambda: dict.fromkeys(Direction, 0))
        accounts = []
        for then in collected:
            account = then[0].account
            side, minor = _side(account, _total(then))
            sums[account.currency][side] += minor
            accounts.append(
                TrialAccount(account_id=account.id, code=account.code, **_columns(account.currency, side, minor))
            )
        totals = [
            TrialTotal(
                currency=currency,
                debit=Money.of_minor(sides[Direction.DEBIT], currency).decimal,
                credit=Money.of_minor(sides[Direction.CREDIT], currency).decimal,
            )
            for currency, sides in sorted(sums.items())
        ]
        final = instant <= self.session.at - SETTLED_AFTER
        return TrialBalance(as_of=instant, final=final, accounts=accounts, totals=totals)


def _total(heads: Sequence[ChainHead]) -> int:
    return sum(head.balance for head in heads)


def _places(collected: Collected) -> list[tuple[str, int, int]]:
    return [(head.account.id, head.stripe, head.sequence) for then in collected for head in then]


def _balances(collected: Collected) -> bool:
    """Tell whether debits equal credits in each currency."""
    sums: dict[str, int] = defaultdict(int)
    for then in collected:
        account = then[0].account
        sums[account.currency] += signed(account.normal, _total(then))
    return not any(sums.values())


def _side(account: Account, balance: int) -> tuple[Direction, int]:
    """Return on which side a balance stands, and how much: a negative one stands on the other side."""
    of_debit = signed(account.normal, balance)
    return (Direction.DEBIT, of_debit) if of_debit >= 0 else (Direction.CREDIT, -of_debit)


def _columns(currency: str, side: Direction, minor: int) -> dict[str, str]:
    amounts = {each.value: Money.of_minor(minor if each is side else 0, currency).decimal for each in Direction}
    return {"currency": currency, **amounts}
