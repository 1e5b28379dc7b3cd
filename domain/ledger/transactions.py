"""Transactions of the ledger: entries with equal debits and credits in each currency."""

import re
from collections import defaultdict
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from domain.common.model import Model, SingleLine, Timestamp, at_most
from domain.common.money import Money, positive
from domain.ledger.accounts import Direction

MAX_ENTRIES = 90
"""Maximum entries of a transaction, so that its writes fit DynamoDB's limit of 100 actions per transaction."""


class NewEntry(Model):
    """A debit or credit of a transaction, of more than zero."""

    account_id: Annotated[str, Field(max_length=64, examples=["acct_01JD3ZK8Q4M5X6Y7Z8A9B0C1D8"])]
    direction: Direction
    amount: Annotated[Money, AfterValidator(positive)]


def signed(direction: Direction, minor: int) -> int:
    """Return the signed amount: debits positive, credits negative."""
    return minor if direction is Direction.DEBIT else -minor


def _balanced(entries: list[NewEntry]) -> list[NewEntry]:
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        sums[entry.amount.currency] += signed(entry.direction, entry.amount.minor)
    unbalanced = sorted(currency for currency, total in sums.items() if total)
    if unbalanced:
        detail = "Debits and credits differ in {currencies}"
        raise PydanticCustomError("unbalanced", detail, {"currencies": ", ".join(unbalanced)})
    return entries


def _is_day(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise PydanticCustomError("date_form", "Must be a day such as 2026-11-21")
    if isinstance(value, int | float):
        raise PydanticCustomError("date_form", "Must be a day such as 2026-11-21")
    return value


class NewTransaction(Model):
    """A transaction to post. In each currency, total debits must equal total credits."""

    description: Annotated[SingleLine, Field(max_length=500, examples=["Rent for November"])]
    effective_date: Annotated[date, BeforeValidator(_is_day)] | None = None
    reference: Annotated[SingleLine, Field(max_length=100, examples=["invoice-17"])] | None = None
    entries: Annotated[
        list[NewEntry],
        Field(min_length=2, max_length=MAX_ENTRIES),
        AfterValidator(_balanced),
        at_most(MAX_ENTRIES),
    ]


class TransactionSummary(Model):
    """A posted transaction as shown in lists."""

    id: str
    description: str
    effective_date: date | None
    reference: str | None
    reverses: str | None
    reversed_by: str | None
    posted_at: Timestamp
    posted_by: str


class Transaction(TransactionSummary):
    """A posted transaction. It never changes, except that `reversed_by` is set once when it is reversed."""

    entries: list[NewEntry]
