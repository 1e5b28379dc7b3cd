"""Tests of lists of parts, and of callers who ship and refund the same units at once."""

from collections import Counter

from tests.integration.orders.taxed import eur
from tests.integration.parts.refunding import balances, paid_order, refund_of, units_of
from tests.shop import Shop, race


def test_parts_are_listed_in_pages_the_last_one_first(shop: Shop) -> None:
    item, order = paid_order(shop, units=5)
    refunds = [refund_of(shop, order, lines=units_of(item, 1)).json for _ in range(3)]
    shipments = [shop.post(f"/orders/{order}/shipments", {"lines": units_of(item, 1)}).json for _ in range(2)]
    assert shop.walk(1, f"/orders/{order}/refunds?") == refunds[::-1]
    assert shop.walk(2, f"/orders/{order}/shipments?") == shipments[::-1]
    assert shop.walk(1, f"/orders/{order}/payments?") == shop.get(f"/orders/{order}/payments").json["items"]
    cursor = shop.get(f"/orders/{order}/refunds?limit=1").json["next_cursor"]
    assert shop.get(f"/orders/{order}/shipments?cursor={cursor}").code == "CURSOR_INVALID"


def test_the_last_unit_is_refunded_once(served: Shop) -> None:
    shop = served
    item, order = paid_order(shop)
    answers = race(8, lambda _: refund_of(shop, order, lines=units_of(item, 1)))
    codes = Counter(answer.code or "made" for answer in answers)
    assert set(codes) <= {"made", "REFUND_TOO_LARGE", "CONTENTION"}
    assert codes["made"] == 3 or codes["CONTENTION"]
    assert shop.get(f"/orders/{order}").json["refunded_total"] == eur(f"{codes['made'] * 10}.00")
    assert balances(shop).get("cash", 0) == 30 - codes["made"] * 10
    left = 3 - codes["made"]
    assert shop.stock(item) == (10, left, 10 - left)


def test_a_unit_is_either_shipped_or_freed(served: Shop) -> None:
    for _ in range(4):
        item, order = paid_order(served, units=1)

        def act(n: int, order: str = order) -> int:
            answer = served.post(f"/orders/{order}/shipments", None) if n % 2 else served.move(order, "refund")
            return answer.status

        answers = race(4, act)
        assert sorted(answers[::2]) == [200, 409]
        assert sorted(answers[1::2]) in ([201, 409], [409, 409])
        shown = served.get(f"/orders/{order}").json
        assert shown["status"] == "refunded"
        gone = shown["lines"][0]["shipped"]
        assert gone == answers[1::2].count(201)
        assert served.stock(item) == (10 - gone, 0, 10 - gone)
