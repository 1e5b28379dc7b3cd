"""Helpers for the ledger: requests to its routes, and a repository on the table for many writers in one process."""

import time
from datetime import datetime
from typing import Any
from uuid import uuid4

from domain.common.environment import now
from domain.identity.permissions import Caller, Role
from repositories.aws.clients import dynamodb
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table
from repositories.ledger.repository import LedgerRepository
from tests.shop import Answer, Shop


def money(minor: int, currency: str = "EUR") -> dict[str, str]:
    return {"amount": f"{minor / 100:.2f}", "currency": currency}


def account(shop: Shop, kind: str = "asset", **fields: Any) -> str:
    body = {"code": f"a{uuid4().hex[:8]}", "name": "Account", "type": kind, "currency": "EUR"} | fields
    answer = shop.post("/ledger/accounts", body)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def entry(account_id: str, direction: str, minor: int, currency: str = "EUR") -> dict[str, Any]:
    return {"account_id": account_id, "direction": direction, "amount": money(minor, currency)}


def post(shop: Shop, *entries: dict[str, Any], key: str = "", **fields: Any) -> Answer:
    body = {"description": "Test", "entries": list(entries)} | fields
    return shop.post("/ledger/transactions", body, key or uuid4().hex)


def transfer(shop: Shop, debit: str, credit: str, minor: int, key: str = "") -> Answer:
    return post(shop, entry(debit, "debit", minor), entry(credit, "credit", minor), key=key)


def balance(shop: Shop, account_id: str, as_of: str = "") -> str:
    query = f"?as_of={as_of}" if as_of else ""
    return str(shop.get(f"/ledger/accounts/{account_id}/balance{query}").json["balance"]["amount"])


def ledger(tenant: str, seconds: float = 20) -> LedgerRepository:
    """Return the ledger repository of a tenant, for one request."""
    table = Table(dynamodb(), "tradepost", Meter())
    caller = Caller(tenant, str(uuid4()), Role.OWNER)
    return LedgerRepository(Session(table, caller, now(), time.monotonic() + seconds))


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
