"""Tests of concurrent callers of the running server, with functions in separate processes."""

from collections import Counter

from tests.shop import Shop, new_item, race


def test_one_of_many_creators_gets_the_sku(served: Shop) -> None:
    answers = race(16, lambda _: served.post("/items", new_item(sku="A")))
    assert Counter(answer.status for answer in answers) == {201: 1, 409: 15}
    assert {answer.code for answer in answers if answer.status == 409} == {"SKU_TAKEN"}
    assert len(served.walk(50)) == 1


def test_one_of_twenty_changes_to_one_version_is_made(served: Shop) -> None:
    item = served.add()
    answers = race(20, lambda n: served.patch(f"/items/{item['id']}", {"name": f"Name {n}"}, '"1"'))
    assert Counter(answer.status for answer in answers) == {200: 1, 412: 19}
    winner = next(answer for answer in answers if answer.status == 200)
    assert served.item(item["id"]) == winner.json


def test_two_items_that_want_each_others_sku_never_share_one(served: Shop) -> None:
    first, second = served.add(sku="A"), served.add(sku="B")
    wishes = [(first["id"], "C"), (second["id"], "C")] * 4
    answers = race(8, lambda n: served.patch(f"/items/{wishes[n][0]}", {"sku": wishes[n][1]}, '"1"'))
    assert Counter(answer.status for answer in answers)[200] == 1
    skus = [served.item(item["id"])["sku"] for item in (first, second)]
    assert sorted(skus) in (["B", "C"], ["A", "C"])


def test_a_key_used_by_ten_threads_has_one_effect_and_one_answer(served: Shop) -> None:
    answers = race(10, lambda _: served.post("/items", new_item(sku="A"), key="k"))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert len(served.walk(50)) == 1


def test_units_are_taken_once_each(served: Shop) -> None:
    item = served.add(stock=6)
    answers = race(16, lambda _: served.adjust(item["id"], -1))
    outcomes = Counter(answer.code or str(answer.status) for answer in answers)
    left = served.item(item["id"])
    assert left["stock"]["on_hand"] == 6 - outcomes["200"]
    assert left["version"] == 1 + outcomes["200"]
    assert set(outcomes) <= {"200", "OUT_OF_STOCK", "CONTENTION"}
    assert outcomes["200"] >= 1
    assert left["stock"]["on_hand"] == 0 or outcomes["CONTENTION"]


def test_edits_and_stock_changes_at_once_lose_neither(served: Shop) -> None:
    item = served.add(stock=0)

    def act(n: int) -> int:
        if n % 2:
            return served.adjust(item["id"], 1).status
        return served.patch(f"/items/{item['id']}", {"description": f"Edit {n}"}, "*").status

    outcomes = race(12, act)
    left = served.item(item["id"])
    counted = sum(status == 200 for n, status in enumerate(outcomes) if n % 2)
    edited = sum(status == 200 for n, status in enumerate(outcomes) if not n % 2)
    assert left["stock"]["on_hand"] == counted
    assert left["version"] == 1 + counted + edited


def test_a_listing_walked_while_others_write(served: Shop) -> None:
    rows = [new_item(name=f"Old {n}") for n in range(60)]
    before = {row["item"]["id"] for row in served.post("/items/batch", {"items": rows}).json["results"]}

    def act(n: int) -> list[str]:
        if n == 0:
            return [item["id"] for item in served.walk(5)]
        for _ in range(8):
            served.add(name="New")
        return []

    walked = race(4, act)[0]
    assert len(walked) == len(set(walked))
    assert before <= set(walked)


def test_stock_is_sold_to_the_last_unit_and_no_further(served: Shop) -> None:
    first, second = served.add(stock=12), served.add(stock=9)

    def buy(n: int) -> str:
        wanted = {first["id"]: 1, second["id"]: 1} if n % 2 else {first["id"]: 1}
        answer = served.order(wanted)
        return answer.code or str(answer.status)

    outcomes = Counter(race(32, buy))
    assert set(outcomes) == {"201", "OUT_OF_STOCK"}
    assert outcomes["201"] == 12
    orders = served.walk(50, "/orders?")
    lines = [line for order in orders for line in served.get(f"/orders/{order['id']}").json["lines"]]
    for item in (first, second):
        sold = sum(line["quantity"] for line in lines if line["item_id"] == item["id"])
        assert served.stock(item["id"])[1] == sold
    assert len(orders) == 12


def test_an_order_sent_by_many_threads_with_one_key_is_placed_once(served: Shop) -> None:
    item = served.add(stock=100)
    answers = race(32, lambda _: served.order({item["id"]: 3}, key="k"))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body for answer in answers}) == 1
    assert served.stock(item["id"]) == (100, 3, 97)
    last_unit = served.add(stock=1)
    answers = race(32, lambda _: served.order({last_unit["id"]: 1}, key="k2"))
    assert {answer.status for answer in answers} == {201}


def test_one_of_many_moves_is_made(served: Shop) -> None:
    item = served.add(stock=100)
    orders = [served.order({item["id"]: 1}).json["id"] for _ in range(4)]

    def act(n: int) -> int:
        order_id, way = orders[n % 4], n // 4
        return (served.pay(order_id) if way % 2 else served.move(order_id, "cancel")).status

    outcomes = race(32, act)
    made = [status for status in outcomes if status in {200, 201}]
    assert (len(made), set(outcomes)) == (4, {200, 201, 409} & set(outcomes))
    assert served.stock(item["id"])[1] == made.count(201)
