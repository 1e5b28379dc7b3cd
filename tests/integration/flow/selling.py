"""Trade whose figures are known, and a recount of the orders."""

from collections import Counter, defaultdict
from datetime import timedelta
from random import Random
from typing import Any
from uuid import uuid4

from domain.common.environment import monotonic, now
from domain.identity.permissions import Caller, Role
from repositories.dynamodb.session import Session
from tests.integration.flow.common import table
from tests.shop import Shop

type Row = dict[str, Any]


def session_of(shop: Shop, at: timedelta = timedelta()) -> Session:
    return Session(table(), Caller(shop.tenant, "system", Role.OWNER), now() + at, monotonic() + 15)


def trade(shop: Shop, seed: int, orders: int = 12) -> list[str]:
    """Trade with taxes, charges, codes and refunds of all kinds, in two currencies; return the ids of the orders."""
    chance = Random(seed)
    items = [shop.add(stock=500, price={"amount": f"{n}.99", "currency": "EUR"})["id"] for n in range(1, 5)]
    yen = [shop.add(stock=500, price={"amount": str(n), "currency": "JPY"})["id"] for n in (100, 333)]
    shop.post("/discounts", {"code": "TENTH", "percent": "10"})
    made = []
    for _ in range(orders):
        chosen = chance.choice((items, items, yen))
        lines = {item: chance.randint(1, 5) for item in chance.sample(chosen, chance.randint(1, len(chosen)))}
        charges = [{"kind": "shipping", "label": "Post", "amount": {"amount": "5", "currency": currency(chosen, yen)}}]
        fields: dict[str, Any] = {"charges": charges} if chance.random() < 0.5 else {}
        if chance.random() < 0.5:
            fields["discount_code"] = "TENTH"
        placed = shop.order(lines, **fields)
        assert placed.status == 201, placed.body
        order = placed.json
        made.append(order["id"])
        if chance.random() < 0.15:
            shop.move(order["id"], "cancel")
            continue
        assert shop.pay(order["id"]).status == 201
        for _ in range(chance.randint(0, 2)):
            item, units = chance.choice(list(lines.items()))
            small = {"amount": {"amount": "1", "currency": order["total"]["currency"]}}
            part = {"lines": [{"item_id": item, "quantity": chance.randint(1, units)}]}
            shop.post(f"/orders/{order['id']}/refunds", chance.choice((part, small)), uuid4().hex)
        if chance.random() < 0.3:
            shop.move(order["id"], "refund")
    return made


def currency(chosen: list[str], yen: list[str]) -> str:
    return "JPY" if chosen is yen else "EUR"


def sales(shop: Shop, group_by: str, days: int = 2) -> list[Row]:
    today = now().date()
    query = f"from={today - timedelta(days=days)}&to={today + timedelta(days=days)}&group_by={group_by}"
    answer = shop.get(f"/stats/sales?{query}")
    assert answer.status == 200, answer.body
    rows: list[Row] = answer.json["rows"]
    return rows


def minor(money: Row) -> int:
    return round(float(money["amount"]) * (1 if money["currency"] == "JPY" else 100))


def recount(shop: Shop) -> dict[str, Counter[str]]:
    """Return the figures by currency, from the orders that the API shows."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for summary in shop.walk(50, "/orders?"):
        if summary["payment_status"] == "unpaid":
            continue
        order = shop.get(f"/orders/{summary['id']}").json
        into = sums[order["total"]["currency"]]
        charges = sum(minor(each["amount"]) for each in order["charges"] if each["kind"] != "discount")
        into["orders"] += 1
        into["units"] += sum(line["quantity"] for line in order["lines"])
        into["gross"] += minor(order["subtotal"]) + charges
        into["discounts"] += minor(order["discount_total"])
        into["tax"] += minor(order["tax_total"])
        into["refunds"] += minor(order["refunded_total"])
        into["net"] += minor(order["total"]) - minor(order["refunded_total"])
    return sums


def summed(rows: list[Row], figures: tuple[str, ...]) -> dict[str, Counter[str]]:
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for name in figures:
            sums[row["currency"]][name] += row[name] if isinstance(row[name], int) else minor(row[name])
    return sums


ALL = ("orders", "units", "gross", "discounts", "tax", "refunds", "net")


def check(shop: Shop) -> None:
    """Compare days, items and customers with a recount of the orders."""
    wanted = recount(shop)
    assert wanted
    assert summed(sales(shop, "day"), ALL) == wanted
    by_item = summed(sales(shop, "item"), ALL[1:])
    for each, sums in wanted.items():
        assert by_item[each] == Counter({name: n for name, n in sums.items() if name != "orders"})
    units: Counter[str] = Counter()
    for summary in shop.walk(50, "/orders?"):
        if summary["payment_status"] != "unpaid":
            lines = shop.get(f"/orders/{summary['id']}").json["lines"]
            units.update({line["item_id"]: line["quantity"] for line in lines})
    assert {row["item_id"]: row["units"] for row in sales(shop, "item") if "item_id" in row} == units
    mine = {row["currency"]: row for row in shop.get(f"/users/{shop.user}/stats").json["rows"]}
    assert {each: (row["orders"], minor(row["spent"])) for each, row in mine.items()} == {
        each: (sums["orders"], sums["net"]) for each, sums in wanted.items()
    }
