"""Orders to refund, refunds and the books after them, shared by tests."""

from typing import Any
from uuid import uuid4

from tests.integration.orders.taxed import eur
from tests.shop import Answer, Shop


def refund_of(shop: Shop, order: str, key: str = "", **fields: Any) -> Answer:
    return shop.post(f"/orders/{order}/refunds", fields, key or uuid4().hex)


def paid_order(shop: Shop, price: str = "10", units: int = 3, **fields: Any) -> tuple[str, str]:
    item = shop.add(price=eur(price), stock=10)["id"]
    order = shop.order({item: units}, **fields).json["id"]
    assert shop.pay(order).status == 201
    return item, order


def units_of(item: str, quantity: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"item_id": item, "quantity": quantity} | fields]


def balances(shop: Shop) -> dict[str, float]:
    accounts = shop.get("/ledger/trial-balance").json["accounts"]
    sums = {each["code"].split(".")[1]: float(each["debit"]) - float(each["credit"]) for each in accounts}
    return {part: round(balance, 2) for part, balance in sums.items() if balance}
