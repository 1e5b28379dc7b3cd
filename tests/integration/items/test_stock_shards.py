"""Tests of stock shards: the item's totals do not depend on the distribution of units over shards."""

from collections import Counter
from functools import partial

import pytest

from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.table import Meter, Table
from tests.faults import interleaved, torn
from tests.shop import Shop, race


def _split(shop: Shop, item_id: str, count: int) -> None:
    answer = shop.post(f"/items/{item_id}/stock-buckets", {"count": count})
    assert answer.status == 200, answer.body
    assert answer.json == shop.item(item_id)


def _available(shop: Shop, item_id: str) -> list[int]:
    table = Table(dynamodb(), "tradepost", Meter())
    _, *stock = table.partition(keys.item(shop.tenant, item_id).pk)
    return [row["available"] for row in stock]


def test_units_are_spread_and_the_item_shows_their_sum(shop: Shop) -> None:
    item = shop.add(stock=10)
    for count, expected in ((4, [3, 3, 2, 2]), (2, [5, 5, 0, 0]), (16, [1] * 10 + [0] * 6), (1, [10] + [0] * 15)):
        _split(shop, item["id"], count)
        assert _available(shop, item["id"]) == expected
        assert shop.stock(item["id"]) == (10, 0, 10)


def test_what_comes_in_or_goes_out_is_spread_too(shop: Shop) -> None:
    item = shop.add(stock=3)
    _split(shop, item["id"], 4)
    shop.adjust(item["id"], 9)
    assert _available(shop, item["id"]) == [3, 3, 3, 3]
    shop.adjust(item["id"], -10)
    assert _available(shop, item["id"]) == [1, 1, 0, 0]
    assert shop.adjust(item["id"], -3).code == "OUT_OF_STOCK"
    assert shop.stock(item["id"]) == (2, 0, 2)


def test_an_order_takes_from_several_buckets_if_none_has_enough(shop: Shop) -> None:
    item = shop.add(stock=8)
    _split(shop, item["id"], 4)
    order_id = shop.order({item["id"]: 7}).json["id"]
    assert shop.stock(item["id"]) == (8, 7, 1)
    refused = shop.order({item["id"]: 2})
    assert (refused.code, refused.json["errors"][0]["detail"]) == ("OUT_OF_STOCK", "1 available")
    shop.move(order_id, "cancel")
    assert _available(shop, item["id"]) == [2, 2, 2, 2]
    assert shop.order({item["id"]: 8}).status == 201


def test_units_reserved_in_a_bucket_that_is_given_up_still_ship_or_come_back(shop: Shop) -> None:
    item = shop.add(stock=16)
    _split(shop, item["id"], 16)
    shipped, cancelled = (shop.order({item["id"]: 8}).json["id"] for _ in range(2))
    _split(shop, item["id"], 1)
    shop.pay(shipped)
    shop.move(shipped, "ship")
    shop.move(cancelled, "cancel")
    assert shop.stock(item["id"]) == (8, 0, 8)
    assert shop.order({item["id"]: 8}).status == 201


def test_an_edit_reaches_every_shard(shop: Shop) -> None:
    item = shop.add(stock=16)
    _split(shop, item["id"], 16)
    shop.patch(f"/items/{item['id']}", {"price": {"amount": "1.00"}}, "*")
    totals = {shop.order({item["id"]: 1}).json["total"]["amount"] for _ in range(16)}
    assert totals == {"1.00"}
    shop.adjust(item["id"], 16)
    shop.delete(f"/items/{item['id']}", "*")
    assert shop.order({item["id"]: 1}).code == "ITEM_ARCHIVED"


def test_what_is_not_counted_cannot_be_split(shop: Shop) -> None:
    item = shop.add()
    path = f"/items/{item['id']}/stock-buckets"
    assert shop.post(path, {"count": 2}).code == "INVALID_STATE"
    for count in (0, 17, "2", 1.5):
        assert shop.post(path, {"count": count}).pointers == ["/count"]
    assert shop.acting_as("customer").post(path, {"count": 2}).code == "FORBIDDEN"


def test_a_split_between_an_edits_read_and_write_leaves_no_bucket_behind(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=8)
    path = f"/items/{item['id']}"
    with interleaved(lambda: _split(rival, item["id"], 8)):
        assert shop.patch(path, {"price": {"amount": "1.00"}}, '"1"').status == 200
    assert {shop.order({item["id"]: 1}).json["total"]["amount"] for _ in range(8)} == {"1.00"}


def test_an_edit_between_a_splits_read_and_write_reaches_the_new_buckets(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=8)
    with interleaved(lambda: rival.patch(f"/items/{item['id']}", {"price": {"amount": "1.00"}}, "*")):
        _split(shop, item["id"], 8)
    assert {shop.order({item["id"]: 1}).json["total"]["amount"] for _ in range(8)} == {"1.00"}


@pytest.mark.parametrize("count", [1, 2])
def test_orders_between_a_splits_read_and_write_are_not_undone(shop: Shop, rival: Shop, count: int) -> None:
    item = shop.add(stock=8)
    _split(shop, item["id"], 4)
    with interleaved(lambda: rival.order({item["id"]: 8})):
        _split(shop, item["id"], count)
    assert shop.stock(item["id"]) == (8, 8, 0)
    with interleaved(lambda: rival.adjust(item["id"], 3)):
        _split(shop, item["id"], 3 - count)
    assert shop.stock(item["id"]) == (11, 8, 3)


def test_units_taken_from_the_guessed_bucket_are_looked_for_in_the_others(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=8)
    _split(shop, item["id"], 4)
    with interleaved(lambda: rival.order({item["id"]: 7})):
        assert shop.order({item["id"]: 1}).status == 201
    assert shop.stock(item["id"]) == (8, 8, 0)


@pytest.mark.parametrize("shards", [1, 4, 16])
def test_of_many_buyers_as_many_get_one_as_there_are(served: Shop, shards: int) -> None:
    item = served.add(stock=20)
    _split(served, item["id"], shards)

    def buy(_: int) -> str:
        while True:
            answer = served.order({item["id"]: 1})
            if answer.code != "CONTENTION":
                return answer.code or str(answer.status)

    outcomes = Counter(race(32, buy)) + Counter(race(8, buy))
    assert outcomes == {"201": 20, "OUT_OF_STOCK": 20}
    assert served.stock(item["id"]) == (20, 20, 0)


def test_splitting_while_buyers_buy_and_return_loses_no_unit(served: Shop) -> None:
    item = served.add(stock=30)

    def act(n: int) -> int:
        if n % 8 == 0:
            return served.post(f"/items/{item['id']}/stock-buckets", {"count": 1 + n // 2}).status
        order = served.order({item["id"]: 2})
        if n % 4 == 1 and order.status == 201:
            served.move(order.json["id"], "cancel")
            return 0
        return order.status

    outcomes = race(32, act)
    on_hand, reserved, _ = served.stock(item["id"])
    assert (on_hand, reserved) == (30, 2 * outcomes.count(201))


def test_a_split_before_the_buckets_are_looked_at_is_not_taken_for_a_shortage(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=1000)
    _split(shop, item["id"], 2)
    with interleaved(lambda: _split(rival, item["id"], 16), before="TransactGetItems"):
        assert shop.order({item["id"]: 600}).status == 201


def test_an_order_of_more_buckets_and_items_than_a_transaction_holds_is_told(shop: Shop) -> None:
    rows = [{"name": f"Item {n}", "price": {"amount": "1", "currency": "EUR"}} for n in range(82)]
    results = shop.post("/items/batch", {"items": rows}, key="k").json["results"]
    item = shop.add(stock=16)
    _split(shop, item["id"], 16)
    wanted = {row["item"]["id"]: 1 for row in results} | {item["id"]: 16}
    refused = shop.order(wanted)
    assert (refused.status, refused.code) == (409, "INVALID_STATE")
    assert shop.order(wanted | {item["id"]: 1}).status == 201


def test_the_stock_of_each_bucket_is_shown(shop: Shop) -> None:
    item = shop.add(stock=9)
    shop.post(f"/items/{item['id']}/stock-buckets", {"count": 2})
    shop.order({item["id"]: 4})
    shown = shop.get(f"/items/{item['id']}/stock-buckets").json
    assert (shown["item_id"], shown["count"]) == (item["id"], 2)
    by_bucket = [(each["on_hand"], each["reserved"], each["available"]) for each in shown["buckets"]]
    assert sorted(by_bucket) in ([(4, 0, 4), (5, 4, 1)], [(4, 4, 0), (5, 0, 5)])
    assert shop.get(f"/items/{shop.add()['id']}/stock-buckets").code == "INVALID_STATE"
    assert shop.acting_as("customer").get(f"/items/{item['id']}/stock-buckets").code == "FORBIDDEN"


def test_a_list_shows_the_stock_of_each_item_if_asked(shop: Shop) -> None:
    whole, split, uncounted = shop.add(stock=3), shop.add(stock=9), shop.add()
    shop.post(f"/items/{split['id']}/stock-buckets", {"count": 4})
    shop.order({whole["id"]: 1, split["id"]: 4})
    shown = {each["id"]: each["stock"] for each in shop.walk(2, "/items?include=stock&")}
    assert shown == {
        whole["id"]: {"on_hand": 3, "reserved": 1, "available": 2},
        split["id"]: {"on_hand": 9, "reserved": 4, "available": 5},
        uncounted["id"]: None,
    }
    assert all("stock" not in each for each in shop.walk(2))
    one = shop.add(stock=1, sku="A")
    assert shop.get("/items?sku=A&include=stock").json["items"][0]["stock"] == one["stock"]
    assert shop.get("/items?include=prices").pointers == ["/query/include"]


def test_a_list_never_shows_half_a_split(shop: Shop) -> None:
    item = shop.add(stock=9)
    for count, visible in ((4, 0), (1, 1), (8, 1), (2, 0)):
        split = partial(shop.post, f"/items/{item['id']}/stock-buckets", {"count": count})
        with torn(split, lambda keys, n=visible: keys[:n], at=0) as met:  # type: ignore[misc]
            [shown] = shop.get("/items?include=stock").json["items"]
        assert met.changed
        assert shown["stock"]["on_hand"] == 9
