"""Account statement from the running API: opening balance, entries, closing balance."""

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from cli.api_client import Client
from domain.common.model import to_rfc3339

COLUMNS = ("posted_at", "sequence", "transaction_id", "debit", "credit", "balance_after")


def statement(url: str, token: str, account: str, first: date, last: date, *, as_csv: bool) -> None:
    """Print an account's statement from the first day to the last, both included (UTC).

    `account` is an id or a code. Raises LookupError if there is no such account, httpx.HTTPError, ApiError.
    """
    start = datetime.combine(first, time(), UTC)
    end = datetime.combine(last + timedelta(days=1), time(), UTC)
    with Client(url, token) as api:
        found = _account(api, account)
        path = f"/ledger/accounts/{found['id']}"
        before = api.get(f"{path}/balance", as_of=to_rfc3339(start - timedelta(milliseconds=1)))["balance"]["amount"]
        after = api.get(f"{path}/balance", as_of=to_rfc3339(end - timedelta(milliseconds=1)))["balance"]["amount"]
        entries = [entry for entry in _entries(api, path, to_rfc3339(start)) if entry["posted_at"] < to_rfc3339(end)]
    rows = [_row(entry) for entry in reversed(entries)]
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerows([COLUMNS, *rows])
        return
    table = Table(
        *(Column(name, overflow="fold") for name in COLUMNS),
        title=f"{found['code']} {found['name']}, {found['currency']}: {first} to {last}",
    )
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(f"Balance before: {before} {found['currency']}", highlight=False)
    console.print(table)
    console.print(f"Balance after: {after} {found['currency']}", highlight=False)


def _account(api: Client, wanted: str) -> dict[str, Any]:
    for account in _walk(api, "/ledger/accounts"):
        if wanted in {account["id"], account["code"]}:
            return account
    raise LookupError(f"There is no account {wanted}.")


def _entries(api: Client, path: str, start: str) -> Iterator[dict[str, Any]]:
    """Yield entries, newest first, back to the start of the period."""
    for entry in _walk(api, f"{path}/entries"):
        if entry["posted_at"] < start:
            return
        yield entry


def _walk(api: Client, path: str) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        page = api.get(path, limit="200", **cursor)
        yield from page["items"]
        if page["next_cursor"] is None:
            return
        cursor = {"cursor": page["next_cursor"]}


def _row(entry: dict[str, Any]) -> list[str]:
    amount = entry["amount"]["amount"]
    sides = (amount, "") if entry["direction"] == "debit" else ("", amount)
    place = f"{entry['stripe']}/{entry['sequence']}"
    return [entry["posted_at"], place, entry["transaction_id"], *sides, entry["balance_after"]["amount"]]
