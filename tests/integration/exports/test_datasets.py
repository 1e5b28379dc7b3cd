"""What exports have: the same as the API shows, in every format."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.bookings.common import EUROS, HOUR, act, booked, resource, tomorrow
from tests.integration.exports.exporting import Exporting, sell
from tests.shop import Shop

ORDER_COLUMNS = [
    *("order_id", "customer_id", "order_date", "total_amount", "currency", "status", "items"),
    *("created_at", "updated_at", "version", "exported_at"),
]
FORMATS = ("csv", "jsonl", "parquet")


@pytest.fixture
def orders(shop: Shop) -> list[dict[str, Any]]:
    """Orders in two currencies and several states, oldest first."""
    mug, stamp = shop.add(stock=50)["id"], shop.add(price={"amount": "7", "currency": "JPY"})["id"]
    spoon = shop.add(name="Spoon", sku="SP", stock=9, price={"amount": "0.10", "currency": "EUR"})["id"]
    made = [sell(shop, {mug: 2, spoon: 3}), sell(shop, {stamp: 4}), shop.order({mug: 1}).json]
    shop.move(made[0]["id"], "refund")
    return [shop.get(f"/orders/{each['id']}").json for each in made]


def _order(shown: dict[str, Any]) -> dict[str, Any]:
    """Return the record of an order without the time of the export."""
    return {
        "order_id": shown["id"],
        "customer_id": shown["customer_id"],
        "order_date": shown["created_at"][:10],
        "total_amount": shown["total"]["amount"],
        "currency": shown["total"]["currency"],
        "status": shown["status"],
        "items": [{"product_id": line["item_id"], "quantity": line["quantity"]} for line in shown["lines"]],
        "created_at": shown["created_at"],
        "updated_at": shown["updated_at"],
        "version": shown["version"],
    }


def test_orders_as_json_lines(exporting: Exporting, orders: list[dict[str, Any]]) -> None:
    records = exporting.export("orders", "jsonl")
    assert [list(record) for record in records] == [ORDER_COLUMNS] * 3
    exported_at = {record.pop("exported_at") for record in records}
    assert records == [_order(each) for each in orders]
    assert len(exported_at) == 1


def test_orders_as_csv(exporting: Exporting, orders: list[dict[str, Any]]) -> None:
    records = exporting.export("orders", "csv")
    assert [list(record) for record in records] == [ORDER_COLUMNS] * 3
    for record, shown in zip(records, orders, strict=True):
        record.pop("exported_at")
        assert json.loads(record.pop("items")) == _order(shown).pop("items")
        expected = {name: str(value) for name, value in _order(shown).items() if name != "items"}
        assert record == expected


def test_orders_as_parquet(exporting: Exporting, orders: list[dict[str, Any]]) -> None:
    records = exporting.export("orders", "parquet")
    assert [list(record) for record in records] == [ORDER_COLUMNS] * 3
    for record, shown in zip(records, orders, strict=True):
        expected = _order(shown)
        expected["order_date"] = date.fromisoformat(expected["order_date"])
        expected["total_amount"] = Decimal(expected["total_amount"])
        for name in ("created_at", "updated_at"):
            expected[name] = datetime.fromisoformat(expected[name])
        assert record.pop("exported_at").tzinfo is not None
        assert record == expected


@pytest.mark.parametrize("form", FORMATS)
def test_lines(exporting: Exporting, orders: list[dict[str, Any]], form: str) -> None:
    records = exporting.export("order_lines", form)
    expected = [
        (order["id"], str(number), line["item_id"], str(line["quantity"]), Decimal(line["total"]["amount"]))
        for order in orders
        for number, line in enumerate(order["lines"], start=1)
    ]
    found = [
        (each["order_id"], str(each["line"]), each["product_id"], str(each["quantity"]), Decimal(each["total"]))
        for each in records
    ]
    assert found == expected


@pytest.mark.parametrize("form", FORMATS)
def test_payments(exporting: Exporting, orders: list[dict[str, Any]], form: str) -> None:
    shown = [page["items"] for page in (exporting.shop.get(f"/orders/{each['id']}/payments").json for each in orders)]
    expected = [(each["id"], each["order_id"], each["status"]) for page in shown for each in page]
    found = [(each["payment_id"], each["order_id"], each["status"]) for each in exporting.export("payments", form)]
    assert found == expected
    assert [status for _, _, status in found] == ["refunded", "captured"]


@pytest.mark.parametrize("form", FORMATS)
def test_ledger_entries_balance(exporting: Exporting, orders: list[dict[str, Any]], form: str) -> None:
    sums: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for record in exporting.export("ledger_entries", form):
        for side in ("debit", "credit"):
            amount = Decimal(record[side] or 0)
            sums[record["currency"], side] += amount
            sums[record["account_code"], record["currency"]] += amount if side == "debit" else -amount
    assert sums["EUR", "debit"] == sums["EUR", "credit"] == Decimal("52.56")
    assert sums["JPY", "debit"] == sums["JPY", "credit"] == Decimal(28)
    for account in exporting.shop.get("/ledger/trial-balance").json["accounts"]:
        balance = Decimal(account["debit"]) - Decimal(account["credit"])
        assert sums[account["code"], account["currency"]] == balance


@pytest.mark.parametrize("form", FORMATS)
def test_items_with_their_stock(exporting: Exporting, orders: list[dict[str, Any]], form: str) -> None:
    shop = exporting.shop
    gone = shop.add(name="Gone", attributes={"a": 1})
    assert shop.delete(f"/items/{gone['id']}", "*").status == 204
    split = shop.add(name="Split", stock=9)["id"]
    shop.post(f"/items/{split}/stock-buckets", {"count": 3})
    records = exporting.export("items", form)
    shown = [*shop.walk(50), *shop.walk(50, "/items?status=archived")]
    stocks = {each["id"]: shop.item(each["id"])["stock"] for each in shown}
    found = {each["item_id"]: (each["name"], each["status"], each["available"]) for each in records}
    assert len(records) == len(shown) == 5
    for each in shown:
        stock = stocks[each["id"]]
        available = str(stock["available"]) if stock else ""
        name, status, units = found[each["id"]]
        assert (name, status, str(units or "")) == (each["name"], each["status"], available)


def test_the_status_and_the_range_choose(exporting: Exporting, orders: list[dict[str, Any]]) -> None:
    def ids(dataset: str, **fields: Any) -> list[str]:
        return [each["order_id"] for each in exporting.export(dataset, **fields)]

    first, second, third = (each["id"] for each in orders)
    assert ids("orders", status="pending") == [third]
    assert ids("order_lines", status="refunded") == [first, first]
    assert ids("payments", status="captured") == [second]
    assert ids("orders", **{"from": orders[1]["created_at"]}) == [second, third]
    assert ids("orders", **{"from": orders[1]["created_at"], "to": orders[2]["created_at"]}) == [second]
    assert ids("orders", to=orders[1]["created_at"]) == [first]
    assert ids("orders", to="2020-01-01") == []
    assert ids("orders", **{"from": "2999-01-01"}) == []
    assert ids("payments", **{"from": "0001-01-01"}) == [first, second]
    assert ids("orders", **{"from": datetime.now(UTC).isoformat()}) == []


def test_payments_are_chosen_by_their_own_time(exporting: Exporting, shop: Shop) -> None:
    item = shop.add()["id"]
    order = shop.order({item: 1}).json
    shop.pay(order["id"])
    [payment] = shop.get(f"/orders/{order['id']}/payments").json["items"]
    assert payment["created_at"] > order["created_at"]
    assert len(exporting.export("payments", **{"from": payment["created_at"]})) == 1
    assert exporting.export("payments", to=payment["created_at"]) == []


def test_a_dataset_without_rows_has_a_file(exporting: Exporting) -> None:
    for form in FORMATS:
        finished = exporting.finish(exporting.begin("ledger_entries", form))
        assert [each["rows"] for each in finished["files"]] == [0]
        assert exporting.export("orders", form) == []


def test_text_that_is_a_formula_is_harmless_in_spreadsheets(exporting: Exporting, shop: Shop) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "plain", "'quoted", 'a "b", c\u00e4']
    for name in names:
        shop.add(name=name)
    harmless = [each["name"] for each in exporting.export("items", "csv")]
    assert harmless == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", *names[4:]]
    assert [each["name"] for each in exporting.export("items", "csv", spreadsheet_safe=False)] == names
    assert [each["name"] for each in exporting.export("items", "jsonl")] == names


@pytest.mark.parametrize("form", FORMATS)
def test_bookings(exporting: Exporting, shop: Shop, form: str) -> None:
    """With and without a price, also those that were cancelled."""
    room, hall = resource(shop, price=EUROS), resource(shop, capacity=9)
    made = [booked(shop, room, tomorrow(), 2 * HOUR, note="=late"), booked(shop, hall, tomorrow(), units=3)]
    act(shop, made[1], "cancel")
    records = exporting.export("bookings", form)
    assert [record["booking_id"] for record in records] == made
    shown = [(str(each["price"] or ""), each["currency"] or "", each["status"], int(each["units"])) for each in records]
    price = "20.0000" if form == "parquet" else "20.00"
    assert shown == [(price, "EUR", "held", 1), ("", "", "cancelled", 3)]
    assert records[0]["note"] == ("'=late" if form == "csv" else "=late")
    assert len(exporting.export("bookings", form, status="cancelled")) == 1
