"""Figures of a sales report, read from the running API."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from cli.api_client import Client
from domain.common.ids import is_id

NAMES = ("gross", "discounts", "tax", "refunds", "net")
"""Amounts of a row of sales."""
TOP = 10
"""Items that a report names."""


@dataclass(frozen=True, slots=True)
class Sales:
    """Sales of a day or an item in one currency."""

    name: str
    orders: int
    units: int
    amounts: Mapping[str, Decimal]

    @classmethod
    def of_row(cls, name: str, row: Mapping[str, Any]) -> "Sales":
        """Return the sales of a row of the API."""
        return cls(name, row["orders"], row["units"], {each: Decimal(row[each]["amount"]) for each in NAMES})


@dataclass(frozen=True, slots=True)
class InCurrency:
    """What was sold in one currency: by day (every day of the period), the top items, and in all."""

    currency: str
    days: list[Sales]
    items: list[Sales]
    total: Sales
    trial_balance: list[dict[str, Any]]
    """Accounts with their debits and credits at the end of the period."""
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, slots=True)
class Report:
    """Sales of a shop from the first day to the last, both included (UTC)."""

    tenant: str
    first: date
    last: date
    as_of: str
    currencies: list[InCurrency]


def read(api: Client, tenant: str, first: date, last: date) -> Report:
    """Return the report. Raises httpx.HTTPError, ApiError."""
    end = last + timedelta(days=1)
    period = {"from": f"{first}", "to": f"{end}"}
    by = {name: api.get("stats/sales", **period, group_by=name) for name in ("day", "item")}
    is_over = end <= datetime.now(UTC).date()
    trial = api.get("ledger/trial-balance", **({"as_of": f"{end}T00:00:00Z"} if is_over else {}))
    days, items = _by_currency(by["day"]["rows"]), _by_currency(by["item"]["rows"])
    currencies = [
        _in_currency(api, currency, days[currency], items[currency], trial, first, last) for currency in sorted(days)
    ]
    return Report(tenant, first, last, by["day"]["as_of"], currencies)


def _by_currency(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        found[row["currency"]].append(row)
    return found


def _in_currency(
    api: Client,
    currency: str,
    days: list[dict[str, Any]],
    items: list[dict[str, Any]],
    trial: dict[str, Any],
    first: date,
    last: date,
) -> InCurrency:
    sold = {row["day"]: Sales.of_row(row["day"], row) for row in days}
    nothing = {name: Decimal() for name in NAMES}
    calendar = [f"{first + timedelta(days=n)}" for n in range((last - first).days + 1)]
    top = sorted((row for row in items if row["item_id"]), key=lambda row: Decimal(row["net"]["amount"]), reverse=True)
    accounts = [each for each in trial["accounts"] if each["currency"] == currency]
    return InCurrency(
        currency=currency,
        days=[sold.get(day) or Sales(day, 0, 0, nothing) for day in calendar],
        items=[Sales.of_row(_name(api, row["item_id"]), row) for row in top[:TOP]],
        total=_total(sold.values()),
        trial_balance=accounts,
        debit=sum((Decimal(each["debit"]) for each in accounts), Decimal()),
        credit=sum((Decimal(each["credit"]) for each in accounts), Decimal()),
    )


def _name(api: Client, sold_id: str) -> str:
    kind = "resources" if is_id("resource", sold_id) else "items"
    return str(api.get(f"{kind}/{sold_id}")["name"])


def _total(rows: Iterable[Sales]) -> Sales:
    known = [*rows]
    amounts = {name: sum((row.amounts[name] for row in known), Decimal()) for name in NAMES}
    return Sales("total", sum(row.orders for row in known), sum(row.units for row in known), amounts)
