"""Account statement from the running API: opening balance, entries, totals, closing balance."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from rich.table import Column, Table

from cli.api_client import Client
from cli.console import console
from domain.common.model import to_rfc3339

COLUMNS = (
    *("line", "account", "currency", "posted_at", "transaction_id", "description", "reference"),
    *("debit", "credit", "balance"),
)
"""Columns of the CSV form. `line` is `opening`, `entry`, `total` or `closing`."""
_DEBIT_BALANCES = {"asset", "expense"}


@dataclass(frozen=True, slots=True)
class Line:
    """An entry, with the balance of the account after it."""

    posted_at: str
    transaction_id: str
    description: str
    reference: str
    debit: Decimal | None
    credit: Decimal | None
    balance: Decimal


@dataclass(frozen=True, slots=True)
class Statement:
    """What happened on an account in a period."""

    account: dict[str, Any]
    opening: Decimal
    lines: list[Line]
    closing: Decimal

    @property
    def debit(self) -> Decimal:
        """Sum of all debits."""
        return sum((line.debit for line in self.lines if line.debit is not None), self.opening * 0)

    @property
    def credit(self) -> Decimal:
        """Sum of all credits."""
        return sum((line.credit for line in self.lines if line.credit is not None), self.opening * 0)


def read(url: str, token: str, account: str, first: date, last: date) -> Statement:
    """Return an account's statement from the first day to the last, both included (UTC).

    `account` is an id or a code. Raises LookupError if there is no such account, httpx.HTTPError, ApiError.
    """
    start = datetime.combine(first, time(), UTC)
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    with Client(url, token) as api:
        return _read(api, account, start, end)


def show(statement: Statement, period: str, *, as_csv: bool) -> None:
    """Print a statement, as CSV or as a table."""
    if as_csv:
        csv.writer(sys.stdout).writerows([COLUMNS, *_rows(statement)])
    else:
        _print(statement, period)


def _read(api: Client, account: str, start: datetime, end: datetime) -> Statement:
    found = _account(api, account)
    path = f"/ledger/accounts/{found['id']}"
    opening, closing = (
        Decimal(api.get(f"{path}/balance", as_of=to_rfc3339(at - timedelta(milliseconds=1)))["balance"]["amount"])
        for at in (start, end)
    )
    since, until = to_rfc3339(start), to_rfc3339(end)
    entries = [entry for entry in _since(api, f"{path}/entries", since) if entry["posted_at"] < until]
    transactions = {each["id"]: each for each in _since(api, "/ledger/transactions", since)} if entries else {}
    lines = []
    balance = opening
    for entry in reversed(entries):
        amount, is_debit = Decimal(entry["amount"]["amount"]), entry["direction"] == "debit"
        balance += amount if is_debit == (found["type"] in _DEBIT_BALANCES) else -amount
        transaction = transactions.get(entry["transaction_id"], {})
        lines.append(
            Line(
                posted_at=entry["posted_at"],
                transaction_id=entry["transaction_id"],
                description=transaction.get("description") or "",
                reference=transaction.get("reference") or "",
                debit=amount if is_debit else None,
                credit=None if is_debit else amount,
                balance=balance,
            )
        )
    return Statement(found, opening, lines, closing)


def _account(api: Client, wanted: str) -> dict[str, Any]:
    for account in _walk(api, "/ledger/accounts"):
        if wanted in {account["id"], account["code"]}:
            return account
    raise LookupError(f"There is no account {wanted}.")


def _since(api: Client, path: str, start: str) -> Iterator[dict[str, Any]]:
    """Yield what was posted, newest first, back to the start of the period."""
    for each in _walk(api, path):
        if each["posted_at"] < start:
            return
        yield each


def _walk(api: Client, path: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = api.get(path, limit="200", **cursor)
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def _rows(shown: Statement) -> Iterator[list[str]]:
    """Yield the lines of the CSV form, after its header."""
    account = [shown.account["code"], shown.account["currency"]]
    yield ["opening", *account, "", "", "", "", "", "", str(shown.opening)]
    for line in shown.lines:
        what = [line.posted_at, line.transaction_id, line.description, line.reference]
        yield ["entry", *account, *what, _text(line.debit), _text(line.credit), str(line.balance)]
    yield ["total", *account, "", "", "", "", str(shown.debit), str(shown.credit), ""]
    yield ["closing", *account, "", "", "", "", "", "", str(shown.closing)]


def _print(shown: Statement, period: str) -> None:
    account = shown.account
    columns = [Column("posted (UTC)", no_wrap=True), Column("description"), Column("reference")]
    columns += [Column(name, justify="right", no_wrap=True) for name in ("debit", "credit", "balance")]
    table = Table(
        *columns,
        title=f"{account['code']} {account['name']} ({account['type']}, {account['currency']}): {period}",
    )
    table.add_row("", "Opening balance", "", "", "", str(shown.opening), style="bold")
    for line in shown.lines:
        when = line.posted_at[:19].replace("T", " ")
        sums = (_text(line.debit), _text(line.credit), str(line.balance))
        table.add_row(when, line.description, line.reference, *sums)
    table.add_section()
    table.add_row("", "Total", "", str(shown.debit), str(shown.credit), "", style="bold")
    table.add_row("", "Closing balance", "", "", "", str(shown.closing), style="bold")
    console.print(table)


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else str(amount)
