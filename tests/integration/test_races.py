"""Many callers at once, through the running server: its functions run in processes of their own."""

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
