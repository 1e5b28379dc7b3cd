"""Audit of accounts' chains: numbers without gaps, ascending times, correct balances, correct end rows."""

from collections.abc import Iterator
from functools import partial

from cli.audit.reading import PAGE, Reading, broken_unless
from cli.audit.state import BrokenError, State
from domain.ledger.accounts import Account, AccountStatus, Direction
from domain.ledger.transactions import signed
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.ledger.chains import Chains
from repositories.ledger.rows import account_from_row


def check_chains(reading: Reading) -> Iterator[None]:
    """Check every stripe of every account, and that debits equal credits in each currency."""
    place = reading.state.place
    for row in reading.table.whole_partition(keys.account_code(reading.tenant, "").pk):
        code = row["sk"]
        if place and code < place[0]:
            continue
        account = _account(reading, row["account_id"], code)
        broken_unless(account.code == code, f"Account {account.id} is registered as {code} and is {account.code}.")
        for stripe in range(account.stripes):
            if not (place and [code, stripe] < place[:2]):
                yield from _check_chain(reading, account, stripe)
    for currency, total in reading.state.sums.items():
        broken_unless(total == 0, f"Debits and credits in {currency} differ by {total} minor units.")


def _account(reading: Reading, account_id: str, code: str) -> Account:
    found: list[Account] = []

    def look() -> None:
        first = Chains(reading.table, reading.tenant).first(account_id)
        if first is None:
            raise BrokenError(f"Account {code} is registered and not there.")
        found.append(first.account)

    reading.require(look)
    return found[0]


def _check_chain(reading: Reading, account: Account, stripe: int) -> Iterator[None]:
    state, here = reading.state, [account.code, stripe]
    number, balance, at = state.place[2:] if state.place[:2] == here else (0, 0, "")
    while rows := _entries(reading, account, stripe, number):
        for row in rows:
            grows = row["direction"] == account.normal
            balance += row["amount"] if grows else -row["amount"]
            name = f"Account {account.code}, stripe {stripe}, entry {number + 1}"
            broken_unless(row["sequence"] == number + 1, f"{name} is missing.")
            broken_unless(
                row["balance"] == balance, f"{name}: the balance is {row['balance']}, and should be {balance}."
            )
            broken_unless(row["posted_at"] >= at, f"{name} is older than the one before it.")
            floor = account.floor_minor
            broken_unless(grows or floor is None or balance >= floor, f"{name} crosses the floor.")
            number, at = row["sequence"], row["posted_at"]
            _add_up(state, row)
            yield
        state.place = [*here, number, balance, at]
        reading.save()
    reading.require(partial(_check_end, reading, account, stripe, (number, balance, at)))


def _add_up(state: State, row: Row) -> None:
    amount = signed(Direction(row["direction"]), row["amount"])
    state.sums[row["currency"]] = state.sums.get(row["currency"], 0) + amount
    state.chained += 1


def _check_end(reading: Reading, account: Account, stripe: int, last: tuple[int, int, str]) -> None:
    """Check that a chain has an end row, which repeats its last entry, if and only if the account is closed."""
    number, _, at = last
    name = f"Account {account.code}, stripe {stripe}"
    of_account, following = (
        keys.account(reading.tenant, account.id),
        keys.entry(reading.tenant, account.id, stripe, number + 1),
    )
    rows = reading.together([of_account, following])
    closed = account_from_row(rows[of_account]).status is AccountStatus.CLOSED
    end = rows.get(following)
    if end and end["type"] == "entry":
        return  # Posted after the instant up to which this audit checks.
    broken_unless(bool(end) == closed, f"{name} is {'closed and has no end' if closed else 'open and has an end'}.")
    if end:
        repeated = (end["sequence"], end["balance"], end["posted_at"] if number else at)
        broken_unless(repeated == last, f"{name}: its end is not as its last entry.")


def _entries(reading: Reading, account: Account, stripe: int, after: int) -> list[Row]:
    first, last = (keys.entry(reading.tenant, account.id, stripe, n) for n in (after + 1, 10**12 - 1))
    values = {":pk": first.pk, ":first": first.sk, ":last": last.sk}
    condition = "pk = :pk AND sk BETWEEN :first AND :last"
    rows = reading.table.query(condition, values, limit=PAGE, consistent=True).rows
    return [row for row in rows if row["type"] == "entry" and row["posted_at"] <= reading.state.until]
