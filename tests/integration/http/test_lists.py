"""Tests of lists: every row once despite concurrent writes; cursors that clients cannot tamper with."""

import string
from datetime import timedelta
from uuid import uuid4

import pytest

from domain.common.environment import now
from repositories.paging import cursors
from tests.shop import Shop, new_item, send_in_process


@pytest.fixture(scope="module")
def stocked(database: str) -> Shop:
    """Return a shop with 120 items."""
    shop = Shop(send_in_process)
    for start in range(0, 120, 60):
        rows = [new_item(sku=f"S{start + n}") for n in range(60)]
        assert shop.post("/items/batch", {"items": rows}).status == 200
    return shop


@pytest.mark.parametrize("limit", [1, 7, 50, 119, 120, 121, 200])
def test_walking_gives_every_row_once_newest_first(stocked: Shop, limit: int) -> None:
    walked = stocked.walk(limit)
    assert len(walked) == len({item["id"] for item in walked}) == 120
    positions = [(item["created_at"], item["id"]) for item in walked]
    assert positions == sorted(positions, reverse=True)


def test_no_page_is_empty_or_short_before_the_last(stocked: Shop) -> None:
    page = stocked.get("/items?limit=40").json
    second = stocked.get(f"/items?limit=40&cursor={page['next_cursor']}").json
    third = stocked.get(f"/items?limit=40&cursor={second['next_cursor']}").json
    assert [len(each["items"]) for each in (page, second, third)] == [40, 40, 40]
    assert third["next_cursor"] is None


def test_rows_that_existed_throughout_come_once_while_others_write(stocked: Shop) -> None:
    before = {item["id"] for item in stocked.walk(200)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = stocked.get("/items?limit=9" + (f"&cursor={cursor}" if cursor else "")).json
        seen += [item["id"] for item in page["items"]]
        added = stocked.add()
        stocked.patch(f"/items/{seen[-1]}", {"name": "Touched"}, "*")
        stocked.delete(f"/items/{added['id']}", "*")
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [item_id for item_id in seen if item_id in before] == sorted(before, key=seen.index)
    assert len(seen) == len(set(seen))


def test_entries_leave_out_what_is_large(stocked: Shop) -> None:
    entry = stocked.get("/items?limit=1").json["items"][0]
    assert set(entry) == {"id", "sku", "name", "price", "status", "version", "created_at", "updated_at"}


def test_more_than_200_is_taken_as_200(stocked: Shop) -> None:
    assert stocked.get("/items?limit=1000").status == 200


@pytest.mark.parametrize("limit", ["0", "-1", "abc", "", "1.5", "1e2"])
def test_a_bad_limit_is_an_error(shop: Shop, limit: str) -> None:
    answer = shop.get(f"/items?limit={limit}")
    assert (answer.status, answer.code, answer.pointers) == (400, "VALIDATION_ERROR", ["/query/limit"])


def test_no_cursor_with_anything_changed_is_accepted(stocked: Shop) -> None:
    cursor = stocked.get("/items?limit=1").json["next_cursor"]
    assert stocked.get(f"/items?limit=1&cursor={cursor}").status == 200
    alphabet = string.ascii_letters + string.digits + "-_"
    for place in range(len(cursor)):
        for bit in range(6):
            if cursor[place] == ".":
                continue
            changed = alphabet[(alphabet.index(cursor[place]) ^ (1 << bit)) % 64]
            bent = cursor[:place] + changed + cursor[place + 1 :]
            if bent != cursor:
                answer = stocked.get(f"/items?limit=1&cursor={bent}")
                assert (answer.status, answer.code) == (400, "CURSOR_INVALID"), bent


def test_a_cursor_belongs_to_its_tenant_and_list(stocked: Shop, shop: Shop) -> None:
    cursor = stocked.get("/items?limit=1").json["next_cursor"]
    assert shop.get(f"/items?cursor={cursor}").code == "CURSOR_INVALID"
    assert stocked.get(f"/items?status=archived&cursor={cursor}").code == "CURSOR_INVALID"
    for nonsense in ("x", "..", "a.b.c", "%00", "ü", "x" * 2048):
        assert stocked.get(f"/items?cursor={nonsense}").code == "CURSOR_INVALID"


def test_a_cursor_expires(stocked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = stocked.get("/items?limit=1").json["next_cursor"]
    for seconds, code in ((-4, ""), (86_380, ""), (86_402, "CURSOR_INVALID")):
        # Also a cursor signed with a clock that is slightly ahead.
        monkeypatch.setattr(
            "repositories.paging.cursors.now", lambda seconds=seconds: now() + timedelta(seconds=seconds)
        )
        assert stocked.get(f"/items?cursor={cursor}").code == code, seconds


def test_cursors_of_the_old_key_are_good_after_a_rotation(stocked: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    old = stocked.get("/items?limit=1").json["next_cursor"]
    known = cursors._keys(300)
    rotated = [*known, uuid4().hex]
    monkeypatch.setattr(cursors, "_keys", lambda _: rotated)
    new = stocked.get(f"/items?limit=1&cursor={old}").json["next_cursor"]
    assert stocked.get(f"/items?cursor={new}").status == 200
    monkeypatch.setattr(cursors, "_keys", lambda _: known)
    assert stocked.get(f"/items?cursor={new}").code == "CURSOR_INVALID"


def test_a_page_costs_the_same_in_a_large_table(stocked: Shop, shop: Shop) -> None:
    small = Shop(shop.send)
    small.post("/items/batch", {"items": [new_item() for _ in range(60)]})
    few, many = small.get("/items?limit=50"), stocked.get("/items?limit=50")
    for page in (few, many):
        assert len(page.json["items"]) == 50
        assert page.reads <= 9
        assert int(page.headers["x-db-requests"]) <= 6
