"""Fixtures of the audit tests."""

from datetime import timedelta

import pytest

from domain.common.environment import now
from tests.books import account, entry, post, transfer
from tests.shop import Shop


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat transactions as settled as soon as they are posted."""
    monkeypatch.setattr("cli.audit.state.now", lambda: now() + timedelta(seconds=40))
    monkeypatch.setattr("cli.audit.reading._PAUSE_SECONDS", 0.0)


@pytest.fixture
def trade(shop: Shop) -> dict[str, str]:
    """Trade a little in a shop; return the ids of its item, orders, accounts and transactions."""
    item = shop.add(stock=15, sku="A")["id"]
    shop.add(stock=3, sku="B")
    shop.post(f"/items/{item}/stock-buckets", {"count": 3})
    shop.adjust(item, 5)
    orders = [shop.order({item: 2}).json["id"] for _ in range(4)]
    payments = [shop.pay(order).json for order in orders[:3]]
    shop.move(orders[1], "refund")
    shop.move(orders[2], "ship")
    bank, fund = account(shop, floor="0"), account(shop, "equity")
    txn = [transfer(shop, bank, fund, minor).json["id"] for minor in (10, 20, 30)][1]
    closed = account(shop)
    there_and_back = [entry(each, side, 5) for each in (closed, fund) for side in ("debit", "credit")]
    post(shop, *there_and_back)
    assert shop.post(f"/ledger/accounts/{closed}/close", None).status == 200
    discount = shop.post("/discounts", {"code": "TEN", "percent": "10"}).json["id"]
    mug = shop.walk(9, "/items?")[0]["id"]
    coded = shop.order({mug: 3}, discount_code="TEN").json["id"]
    shop.pay(coded)
    part = {"lines": [{"item_id": mug, "quantity": 1}]}
    shop.post(f"/orders/{coded}/shipments", part)
    refund = shop.post(f"/orders/{coded}/refunds", part, key="part").json
    return {
        "discount": discount,
        "user": shop.user,
        "part_txn": refund["transaction_id"],
        "item": item,
        "paid": orders[0],
        "refunded": orders[1],
        "pending": orders[3],
        "bank": bank,
        "txn": txn,
        "payment_txn": payments[0]["transaction_id"],
        "refunded_txn": payments[1]["transaction_id"],
        "refund": shop.get(f"/ledger/transactions/{payments[1]['transaction_id']}").json["reversed_by"],
        "closed": closed,
        "shipped": orders[2],
        "cash": next(each["id"] for each in shop.walk(9, "/ledger/accounts?") if each["code"] == "shop.cash.EUR"),
    }
