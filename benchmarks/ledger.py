"""Ledger benchmarks: postings per second by account layout, and the cost of a balance at an instant in the past."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched
from multiprocessing import get_context
from random import Random
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError

from domain.common.environment import now
from domain.common.errors import Contention
from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.identity.permissions import Caller, Role
from domain.ledger.accounts import Account, AccountType, Direction, NewAccount
from domain.ledger.search import last_until
from domain.ledger.transactions import NewEntry, NewTransaction
from local.database import TABLE_NAME
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import encode, new_row
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table
from repositories.ledger.repository import LedgerRepository

LENGTHS = (1_000, 100_000)
LONGEST = 1_000_000
"""Chain length for which only the search is measured, on times in memory: filling a table takes minutes."""
_PROCESSES = 4
_POSTINGS = 100
"""Postings by each process."""
_LOOKUPS = 200
_TENANT = "bench"

type Post = Callable[[str, str], int]
"""Function that posts one minor unit from the second account to the first; returns 1 on success, otherwise 0."""


def postings_per_second() -> dict[str, float]:
    """Return transactions of two entries posted per second by four processes, by account layout."""
    with ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
        rates = {"a balance attribute, one account": _rate(pool, _post_naively, [_naive_account()])}
        rates["one account with a floor"] = _rate(pool, _post, [_account(floor="0")])
        for stripes in (1, 4, 16):
            rates[f"one account, {stripes} stripes"] = _rate(pool, _post, [_account(stripes=stripes)])
        rates["1,000 accounts"] = _rate(pool, _post, [_account() for _ in range(1_000)])
    return rates


def reads_by_length() -> dict[tuple[int, str], tuple[float, float, float, float]]:
    """Return mean and maximum requests, then mean and maximum read units, by chain length and spacing of times."""
    spacings = ("even", "random", "bursty")
    measured = {(length, spacing): _lookups(length, spacing) for length in LENGTHS for spacing in spacings}
    return measured | {(LONGEST, spacing): _searches(LONGEST, spacing) for spacing in spacings}


def _ledger() -> LedgerRepository:
    table = Table(dynamodb(), TABLE_NAME, Meter())
    return LedgerRepository(Session(table, Caller(_TENANT, str(uuid4()), Role.OWNER), now(), time.monotonic() + 600))


def _account(*, floor: str | None = None, stripes: int = 1) -> str:
    new = NewAccount(code=uuid4().hex[:30], name="A", type=AccountType.ASSET, currency="EUR", floor=floor)
    account: Account = _ledger().open_account(new)
    if stripes > 1:
        _ledger().stripe_account(account.id, stripes)
    return account.id


def _rate(pool: ProcessPoolExecutor, post: Post, accounts: Sequence[str]) -> float:
    others = [_account(stripes=16) for _ in range(_PROCESSES)]
    list(pool.map(_warm_up, range(_PROCESSES)))
    started = time.perf_counter()
    done = sum(pool.map(_work, [post] * _PROCESSES, [accounts] * _PROCESSES, others))
    return done / (time.perf_counter() - started)


def _warm_up(_: int) -> None:
    dynamodb()


def _work(post: Post, accounts: Sequence[str], other: str) -> int:
    chance = Random(other)
    done = 0
    for _ in range(_POSTINGS):
        done += post(chance.choice(accounts), other)
    return done


def _post(account: str, other: str) -> int:
    amount = Money.of_minor(1, "EUR")
    entries = [
        NewEntry(account_id=account, direction=Direction.DEBIT, amount=amount),
        NewEntry(account_id=other, direction=Direction.CREDIT, amount=amount),
    ]
    try:
        _ledger().post(NewTransaction(description="Bench", entries=entries))
    except Contention:
        return 0
    return 1


def _naive_account() -> str:
    account = uuid4().hex
    dynamodb().put_item(TableName=TABLE_NAME, Item=encode(_naive_key(account) | {"balance": 0}))
    return account


def _naive_key(account: str) -> dict[str, str]:
    return {"pk": f"naive {account}", "sk": "naive"}


def _post_naively(account: str, other: str) -> int:
    """Update two balances and put a record in one transaction, without a history of balances."""
    add: dict[str, Any] = {
        "TableName": TABLE_NAME,
        "UpdateExpression": "ADD balance :n",
        "ExpressionAttributeValues": encode({":n": 1}),
    }
    keep: Any = {"TableName": TABLE_NAME, "Item": encode(_naive_key(uuid4().hex) | {"note": "Bench"})}
    actions: Any = [{"Update": add | {"Key": encode(_naive_key(each))}} for each in (account, other)]
    actions.append({"Put": keep})
    try:
        dynamodb().transact_write_items(TransactItems=actions)
    except ClientError:
        return 0
    return 1


def _lookups(length: int, spacing: str) -> tuple[float, float, float, float]:
    account = _account()
    times = _times(length, spacing)
    with ProcessPoolExecutor(_PROCESSES, get_context("spawn")) as pool:
        chunks = batched(enumerate(times, start=1), 5_000, strict=False)
        list(pool.map(partial(_fill, account), chunks))
    chance = Random(length)
    rounds, units = [], []
    for _ in range(_LOOKUPS):
        book = _ledger()
        book.balance(account, chance.choice(times))
        rounds.append(book.session.table.meter.requests)
        units.append(book.session.table.meter.read_units)
    return sum(rounds) / len(rounds), max(rounds), sum(units) / len(units), max(units)


def _searches(length: int, spacing: str) -> tuple[float, float, float, float]:
    """Return the same for the search alone, plus reads of the chain's end, first entry and final dozen entries."""
    times, chance = _times(length, spacing), Random(length)
    rounds, units = [], []
    for _ in range(_LOOKUPS):
        asked: list[int] = []

        def read(numbers: Sequence[int], asked: list[int] = asked) -> dict[int, datetime]:
            asked.append(len(numbers))
            return {number: times[number - 1] for number in numbers}

        last_until(chance.choice(times), times[0], (length, times[-1]), read)
        rounds.append(3 + len(asked))
        units.append(3 + sum(asked))
    return sum(rounds) / len(rounds), max(rounds), sum(units) / len(units), max(units)


def _times(length: int, spacing: str) -> list[datetime]:
    start, chance = datetime(2026, 1, 1, tzinfo=UTC), Random(length)
    if spacing == "even":
        return [start + timedelta(milliseconds=20 * n) for n in range(length)]
    if spacing == "random":
        return sorted(start + timedelta(milliseconds=chance.randrange(20 * length)) for _ in range(length))
    day = timedelta(days=1)
    return sorted(start + day * chance.randrange(20) + timedelta(seconds=chance.expovariate(1)) for _ in range(length))


def _fill(account: str, rows: Sequence[tuple[int, datetime]]) -> None:
    for chunk in batched(_rows(account, rows), 25, strict=False):
        dynamodb().batch_write_item(RequestItems={TABLE_NAME: [{"PutRequest": {"Item": row}} for row in chunk]})


def _rows(account: str, rows: Sequence[tuple[int, datetime]]) -> Iterator[dict[str, Any]]:
    return (entry_of_one(_TENANT, account, number, at) for number, at in rows)


def entry_of_one(tenant: str, account: str, number: int, at: datetime) -> dict[str, Any]:
    """Return the DynamoDB item of an account's entry with this number, if each entry is a debit of one minor unit."""
    return encode(
        new_row(
            keys.entry(tenant, account, 0, number),
            "entry",
            sequence=number,
            transaction_id="txn_x",
            direction="debit",
            amount=1,
            currency="EUR",
            balance=number,
            posted_at=to_rfc3339(at),
        )
    )
