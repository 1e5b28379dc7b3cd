"""Trial balance: every account's balance at one instant."""

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
"""Maximum accounts of a trial balance: each takes several reads, and a function's time is limited."""
_COLLECTIONS = 5
"""Maximum readings of an instant that is not settled, until two readings in a row are equal."""

type Collected = list[list[ChainHead]]
"""Heads of each account's stripes at an instant."""


@dataclass(frozen=True, slots=True)
class TrialBalances:
    """The trial balances of the caller's tenant."""

    session: Session

    def at(self, as_of: datetime | None) -> TrialBalance:
        """Return every account's balance at one instant; None: now.

        A settled instant cannot change, so one reading is exact. For a later one, chains that are read one after the
        other may be read before or after a posting. All are read until two readings are equal, and were therefore true
        at the moment between them, and debits equal credits, as a posting may be visible in one chain and not yet in
        another. If postings are too frequent for that, "now" is the last settled instant.

        Raises InvalidState for more than `MAX_ACCOUNTS` accounts, Unavailable if time runs out, and Contention for an
        instant that is not settled and cannot be read consistently.
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

        # An account that is registered but not visible is being opened. Its entries are later than any settled instant;
        # at an instant that is not settled, the other accounts do not balance without them.
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
    """Return whether debits equal credits in each currency."""
    sums: dict[str, int] = defaultdict(int)
    for then in collected:
        account = then[0].account
        sums[account.currency] += signed(account.normal, _total(then))
    return not any(sums.values())


def _side(account: Account, balance: int) -> tuple[Direction, int]:
    """Return the side and the amount, in minor units, of a balance; a negative balance is on the opposite side."""
    of_debit = signed(account.normal, balance)
    return (Direction.DEBIT, of_debit) if of_debit >= 0 else (Direction.CREDIT, -of_debit)


def _columns(currency: str, side: Direction, minor: int) -> dict[str, str]:
    amounts = {each.value: Money.of_minor(minor if each is side else 0, currency).decimal for each in Direction}
    return {"currency": currency, **amounts}
