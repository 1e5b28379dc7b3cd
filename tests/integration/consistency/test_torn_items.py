"""Tests of commands that read half of a split or half of an edit."""

import pytest

from tests.faults import torn, unseen
from tests.integration.consistency.scenes import Keys
from tests.shop import Shop


@pytest.mark.parametrize("shards", [1, 2, 4])
def test_counting_or_splitting_on_half_a_split_loses_no_unit(shop: Shop, rival: Shop, shards: int) -> None:
    """Only the first stock row is visible; it states that there are four."""

    def _first_row(changed: Keys) -> Keys:
        return [key for key in changed if key[1] == "STOCK"]

    for command in ("count", "split"):
        item = shop.add(stock=100)["id"]
        orders = [shop.order({item: 5}).json["id"] for _ in range(4)]

        def split(item: str = item) -> None:
            assert rival.post(f"/items/{item}/stock-buckets", {"count": 4}).status == 200
            assert rival.order({item: 20}).status == 201

        with torn(split, _first_row, at=0):
            if command == "count":
                assert shop.adjust(item, 1).status == 200
            else:
                assert shop.post(f"/items/{item}/stock-buckets", {"count": shards}).status == 200
        added = command == "count"
        assert shop.stock(item) == (100 + added, 40, 60 + added)
        for order in orders:
            shop.move(order, "cancel")
        assert shop.order({item: 80 + added}).status == 201
        assert shop.patch(f"/items/{item}", {"name": "Edited"}, "*").status == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_old_version_is_not_taken_for_fresh_on_half_an_edit(shop: Shop, rival: Shop, method: str) -> None:
    """The read shows the item's row after the edit, but its stock row, which copies sale data, before it."""
    item = shop.add(stock=5)["id"]
    shop.order({item: 1})
    path, body = f"/items/{item}", {"name": "Mine"} if method == "PATCH" else None

    def edit() -> None:
        assert rival.patch(path, {"name": "Theirs"}, '"2"').status == 200

    with torn(edit, lambda changed: [key for key in changed if key[1] == "ITEM"], at=0):
        late = shop.call(method, path, body, {"If-Match": '"2"'})
    assert (late.status, late.code) == (412, "PRECONDITION_FAILED")
    assert (shop.item(item)["name"], shop.item(item)["status"]) == ("Theirs", "active")


def test_a_shops_accounts_are_not_missed_while_they_are_opened(shop: Shop) -> None:
    """The accounts' entries or code records are visible, but not yet the account rows."""
    item = shop.add(stock=9)["id"]
    first, second = (shop.order({item: 1}).json["id"] for _ in range(2))
    shop.pay(first)

    def account_to_row(_pk: str, sk: str) -> bool:
        return sk == "SELF"

    for reads in (1, 2, 3, 4):
        with unseen(account_to_row, reads=reads):
            shown = shop.get("/ledger/trial-balance").json
        assert {total["debit"] for total in shown["totals"]} <= {"12.99", "0.00"}
    with unseen(account_to_row, reads=4):
        assert shop.pay(second).status == 201
    with unseen(account_to_row, reads=4):
        assert shop.move(first, "refund").status == 200
    with unseen(account_to_row, reads=1000):
        refused = shop.move(second, "refund")
    assert refused.code == "CONTENTION"
    with unseen(lambda _pk, sk: sk == "TXN", reads=3):
        assert shop.move(second, "refund").status == 200
