"""Tests of sales figures: equal to a recount of the orders, however events come."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from domain.common.environment import now
from domain.common.errors import Contention
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import decode, encode
from repositories.stats.counting import count_order
from tests.faults import FAULTS, Fault, before_call, injected
from tests.integration.audit.common import audit
from tests.integration.flow.common import Flow, event_message, handle
from tests.integration.flow.selling import check, sales, session_of, trade
from tests.shop import Shop, race


@pytest.mark.parametrize("seed", range(3))
def test_sales_equal_a_recount_with_duplicates_suffixes_and_in_any_order(shop: Shop, seed: int, tmp_path: Path) -> None:
    trade(shop, seed)
    chance, rows = Random(seed), Flow(shop).event_rows()
    for _ in range(3):
        chance.shuffle(rows)
        handle([event_message(row) for row in rows[chance.randrange(len(rows)) :]])
    handle([event_message(row) for row in rows])
    check(shop)
    assert "sales" in audit(shop, tmp_path)


def test_sales_by_item_are_those_of_the_lines(shop: Shop) -> None:
    """Items of an order, with tax that is added, a discount, and refunds of units and of an amount."""
    mug, cup = (shop.add(stock=9, price={"amount": price, "currency": "EUR"})["id"] for price in ("10.00", "4.00"))
    order = shop.order({mug: 3, cup: 2}).json["id"]
    shop.pay(order)
    shop.post(f"/orders/{order}/refunds", {"lines": [{"item_id": mug, "quantity": 1}]}, "a")
    shop.post(f"/orders/{order}/refunds", {"amount": {"amount": "1.50", "currency": "EUR"}}, "b")
    Flow(shop).run()
    rows = {row.get("item_id"): row for row in sales(shop, "item")}
    shown = {
        item: (row["units"], *(row[name]["amount"] for name in ("gross", "refunds", "net")))
        for item, row in rows.items()
    }
    assert shown == {
        mug: (3, "30.00", "10.00", "20.00"),
        cup: (2, "8.00", "0.00", "8.00"),
        None: (0, "0.00", "1.50", "-1.50"),
    }
    [day] = sales(shop, "day")
    assert (day["orders"], day["units"], day["net"]["amount"]) == (1, 5, "26.50")
    assert day["day"] == f"{now():%Y-%m-%d}"


def test_days_beyond_the_range_and_other_tenants_are_not_shown(shop: Shop) -> None:
    item = shop.add(stock=9)["id"]
    shop.pay(shop.order({item: 1}).json["id"])
    Flow(shop).run()
    today = now().date()
    assert shop.get(f"/stats/sales?from={today}").json["rows"]
    assert shop.get(f"/stats/sales?to={today}").json["rows"] == []
    assert shop.get(f"/stats/sales?from={today + timedelta(days=1)}&to={today + timedelta(days=2)}").json["rows"] == []
    other = Shop(shop.send)
    assert other.get("/stats/sales").json["rows"] == []
    assert other.get(f"/users/{shop.user}/stats").status == 404


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=2026-02-01&to=2026-01-01", "/query/from"),
        ("from=2020-01-01&to=2026-01-01", "/query/from"),
        ("group_by=week", "/query/group_by"),
        ("from=2026-01-01&to=2026-06-01&group_by=item", "/query/from"),
        ("to=0001-01-05", "/query/to"),
        ("to=0001-01-01", "/query/to"),
    ],
)
def test_a_range_or_grouping_that_makes_no_sense_is_refused(shop: Shop, query: str, pointer: str) -> None:
    answer = shop.get(f"/stats/sales?{query}")
    assert (answer.status, answer.pointers) == (400, [pointer])


def test_customers_see_no_figures(shop: Shop) -> None:
    customer = shop.acting_as("customer")
    customer.order({shop.add(stock=9)["id"]: 1})
    for path in ("/stats/sales", "/stats/stock", f"/users/{customer.user}/stats"):
        assert customer.get(path).status == 403
        assert shop.acting_as("staff").get(path).status == 200


def test_an_order_of_90_items_is_counted_in_parts(shop: Shop) -> None:
    items = [shop.add(stock=3)["id"] for _ in range(90)]
    order = shop.order(dict.fromkeys(items, 2)).json
    shop.pay(order["id"])
    shop.move(order["id"], "refund")
    count_order(session_of(shop), order["id"])
    check(shop)
    assert len(sales(shop, "item")) == 90


def test_thirty_two_callers_count_an_order_once(shop: Shop) -> None:
    item = shop.add(stock=99)["id"]
    orders = [shop.order({item: 1}).json["id"] for _ in range(8)]
    for order in orders:
        shop.pay(order)
    done = race(32, lambda n: count_order(session_of(shop), orders[n % 8]))
    assert sum(done) == 8 * 3
    check(shop)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_call_that_fails_counts_nothing_twice_and_loses_nothing(shop: Shop, fault: Fault) -> None:
    trade(shop, 5, orders=3)
    messages = [event_message(row) for row in Flow(shop).event_rows()]
    for number in range(30):
        with injected(fault, at=number, times=4) as calls, suppress(Exception):  # Lambda would call again
            handle(messages)
        if len(calls) <= number:
            break
    handle(messages)
    check(shop)


def test_an_event_that_is_seen_before_its_order_is_counted_when_the_order_is_there(shop: Shop) -> None:
    """Rows of a transaction become visible one after the other."""
    item = shop.add(stock=9)["id"]
    order = shop.order({item: 1}).json["id"]
    key = encode(keys.order(shop.tenant, order)._asdict())
    before = dynamodb().get_item(TableName="tradepost", Key=key)["Item"]
    shop.pay(order)
    after = dynamodb().get_item(TableName="tradepost", Key=key)["Item"]
    dynamodb().put_item(TableName="tradepost", Item=before)

    def appear() -> None:
        dynamodb().put_item(TableName="tradepost", Item=after)

    with before_call(1, appear):
        assert count_order(session_of(shop), order, decode(after)["version"]) == 3
    check(shop)


def test_an_event_whose_order_does_not_appear_is_not_done(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    item = shop.add(stock=9)["id"]
    order = shop.order({item: 1}).json["id"]
    monkeypatch.setattr("repositories.dynamodb.session.backoff_seconds", lambda _: 0.0)
    with pytest.raises(Contention):
        count_order(session_of(shop), order, 2)


def test_items_that_run_low_are_found_on_every_page(shop: Shop) -> None:
    low = [shop.add(stock=n)["id"] for n in (0, 3)]
    for _ in range(5):
        shop.add(stock=50)
    split = shop.add(stock=8)["id"]
    shop.post(f"/items/{split}/stock-buckets", {"count": 4})
    shop.order({split: 4})
    shop.add()
    gone = shop.add(stock=1)["id"]
    shop.delete(f"/items/{gone}", "*")
    for limit in (1, 2, 50):
        found = shop.walk(limit, "/stats/stock?below=5")
        assert {each["item_id"]: each["available"] for each in found} == {low[0]: 0, low[1]: 3, split: 4}
    assert shop.get("/stats/stock?below=0").pointers == ["/query/below"]


def test_the_last_order_of_a_customer_is_shown(shop: Shop) -> None:
    item = shop.add(stock=9)["id"]
    for unknown in (shop.user, "somebody", str(uuid4())):
        assert shop.get(f"/users/{unknown}/stats").status == 404
    order = shop.order({item: 1}).json
    stats = shop.get(f"/users/{shop.user}/stats").json
    assert (stats["last_order_at"], stats["rows"]) == (order["created_at"], [])
    user = shop.post("/users", {"email": "a@example.com", "name": "A", "role": "customer"}).json["id"]
    assert shop.get(f"/users/{user}/stats").json["last_order_at"] is None
