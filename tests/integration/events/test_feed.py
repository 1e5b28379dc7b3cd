"""Tests of the feed of events: each once, in order, and none that another could still come before."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.common.environment import now
from domain.common.events import FINAL_AFTER
from domain.event_data.kinds import KINDS
from domain.event_types import TYPES
from tests.integration.orders.common import brought_to
from tests.shop import Shop

type At = Callable[[timedelta | datetime], None]
LATER = FINAL_AFTER + timedelta(seconds=1)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Return a function that sets the time of requests: a distance from now, or a fixed time."""

    def set_time(time: timedelta | datetime) -> None:
        monkeypatch.setattr("handlers.http.admission.now", lambda: time if isinstance(time, datetime) else now() + time)

    return set_time


def _feed(shop: Shop, after: str = "", query: str = "", limit: int = 50) -> tuple[list[dict[str, Any]], str]:
    """Return the events after a cursor, read page by page to the end, and the last cursor."""
    found: list[dict[str, Any]] = []
    while True:
        page = shop.get(f"/events?limit={limit}{query}" + (f"&after={after}" if after else ""))
        assert page.status == 200, page.body
        found += page.json["items"]
        after = page.json["next_cursor"]
        if not page.json["items"]:
            return found, after


def _trade(shop: Shop) -> dict[str, str]:
    item = shop.add(stock=20)["id"]
    shop.adjust(item, 2)
    shop.patch(f"/items/{item}", {"name": "Cup"}, "*")
    order = shop.order({item: 3}).json["id"]
    shop.pay(order)
    part = {"lines": [{"item_id": item, "quantity": 1}]}
    shop.post(f"/orders/{order}/shipments", part)
    shop.post(f"/orders/{order}/refunds", part, key="part")
    shop.move(order, "ship")
    shop.move(order, "deliver")
    shop.move(order, "refund")
    return {"item": item, "order": order}


def test_events_of_a_subject_come_once_in_order_without_gaps(shop: Shop, at: At) -> None:
    made = _trade(shop)
    at(LATER)
    events, _ = _feed(shop)
    assert len({event["id"] for event in events}) == len(events)
    by_subject = defaultdict(list)
    for event in events:
        by_subject[event["subject"]].append(event)
    for subject, each in by_subject.items():
        assert [event["sequence"] for event in each] == [str(n) for n in range(1, len(each) + 1)], subject
    assert [event["type"].removeprefix("tradepost.order.") for event in by_subject[made["order"]]] == [
        "placed",
        "paid",
        "partially_shipped",
        "partially_refunded",
        "shipped",
        "delivered",
        "refunded",
    ]
    assert [event["type"] for event in by_subject[f"{made['item']}/stock"]] == ["tradepost.stock.adjusted"]
    placed = by_subject[made["order"]][0]
    assert placed["data"] == {"customer_id": shop.user, "total": {"amount": "38.97", "currency": "EUR"}}
    envelope = {name: placed[name] for name in ("specversion", "source", "datacontenttype", "dataschema")}
    assert envelope == {
        "specversion": "1.0",
        "source": f"/tenants/{shop.tenant}",
        "datacontenttype": "application/json",
        "dataschema": "/v1/asyncapi.json#/components/schemas/OrderPlaced",
    }
    for event in events:
        KINDS[TYPES[event["type"]]].model_validate(event["data"])
    times = [event["time"] for event in events]
    assert times == sorted(times)


def test_an_event_is_shown_once_none_can_come_before_it(shop: Shop, at: At) -> None:
    _, start = _feed(shop)
    shop.add()
    assert _feed(shop, start)[0] == []
    at(FINAL_AFTER - timedelta(seconds=5))
    assert _feed(shop, start)[0] == []
    at(LATER)
    [event], after = _feed(shop, start)
    assert event["type"] == "tradepost.item.created"
    assert _feed(shop, after)[0] == []


@pytest.mark.parametrize("limit", [1, 4, 8, 200])
def test_pages_of_any_size_give_the_same(shop: Shop, at: At, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    _trade(shop)
    at(LATER)
    whole = shop.get("/events?limit=200").json["items"]
    monkeypatch.setattr("repositories.events.feed._MARGIN", 0)
    assert _feed(shop, limit=limit)[0] == whole
    wanted = "tradepost.order.paid,tradepost.transaction.posted"
    assert (
        _feed(shop, query=f"&types={wanted}", limit=limit)[0]
        == [event for event in whole if event["type"] in wanted.split(",")]
        or limit < 7
    )


def test_a_page_of_rare_types_may_be_empty_and_goes_on(shop: Shop, at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("repositories.events.feed.MAX_EXAMINED", 2)
    _trade(shop)
    at(LATER)
    cursor, found = "", []
    for _ in range(12):
        page = shop.get("/events?types=tradepost.order.delivered" + (f"&after={cursor}" if cursor else "")).json
        cursor = page["next_cursor"]
        found += page["items"]
    assert [event["type"] for event in found] == ["tradepost.order.delivered"]


def test_events_read_while_others_are_written_are_all_read_once(shop: Shop, at: At) -> None:
    item = shop.add(stock=90)["id"]
    base, read, after = now(), list[dict[str, Any]](), ""
    for minute in range(12):
        at(base + timedelta(seconds=20 * minute))
        brought_to("shipped", shop, shop.order({item: 1}).json["id"])
        found, after = _feed(shop, after, limit=3)
        read += found
    at(base + timedelta(minutes=10))
    read += _feed(shop, after)[0]
    assert read == _feed(shop)[0]
    assert len([event for event in read if event["type"] == "tradepost.order.shipped"]) == 12


def test_a_clock_that_is_behind_does_not_change_the_order(shop: Shop, at: At) -> None:
    item = shop.add(stock=5)["id"]
    order = shop.order({item: 2}).json["id"]
    for number, (act, clock) in enumerate([("pay", 1500), ("ship", -1500), ("deliver", 900), ("refund", -900)]):
        at(timedelta(milliseconds=clock))
        (shop.pay(order) if act == "pay" else shop.move(order, act))
        shop.adjust(item, number + 1)
        shop.patch(f"/items/{item}", {"name": act}, "*")
    at(LATER + timedelta(seconds=3))
    seen = defaultdict(list)
    for event in _feed(shop, limit=2)[0]:
        seen[event["subject"]].append(int(event["sequence"]))
    assert seen[order] == [1, 2, 3, 4, 5]
    assert seen[f"{item}/stock"] == [1, 2, 3, 4]
    assert all(numbers == sorted(numbers) for numbers in seen.values())


def test_the_feed_goes_on_over_days(shop: Shop, at: At) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    names = []
    for number in range(4):
        at(midnight + timedelta(hours=16 * number - 1))
        names.append(shop.add(name=f"Item {number}")["id"])
    at(midnight + timedelta(days=3))
    events, after = _feed(shop, limit=1)
    assert [event["subject"] for event in events] == names
    assert len({event["time"][:10] for event in events}) == 3
    at(midnight + timedelta(days=20))
    assert _feed(shop, after)[0] == []


def test_what_cannot_be_asked_for(shop: Shop, at: At) -> None:
    shop.add()
    at(LATER)
    page = shop.get("/events?limit=1").json
    assert shop.acting_as("staff").get("/events").json["items"] == page["items"]
    assert shop.acting_as("customer").get("/events").code == "FORBIDDEN"
    assert Shop(shop.send).get("/events").json["items"] == []
    assert Shop(shop.send).get(f"/events?after={page['next_cursor']}").code == "CURSOR_INVALID"
    assert shop.get("/events?after=x").code == "CURSOR_INVALID"
    for unknown in ("tradepost.order.eaten", "", "tradepost.order.paid,"):
        refused = shop.get(f"/events?types={unknown}")
        assert (refused.status, refused.pointers) == (400, ["/query/types"]), unknown
    assert shop.get(f"/events?cursor={uuid4().hex}").pointers == ["/query/cursor"]
