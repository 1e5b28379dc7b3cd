"""Tests of the item routes as API clients see them."""

from datetime import UTC, datetime

import pytest

from tests.faults import interleaved
from tests.shop import Shop, new_item


def test_a_created_item_is_shown_whole_and_where_it_is(shop: Shop) -> None:
    created = shop.post("/items", new_item(sku="MUG", stock=5, attributes={"a": [1, None, "ü"]}))
    item = created.json
    assert created.status == 201
    assert created.headers["location"] == f"/v1/items/{item['id']}"
    assert created.etag == '"1"'
    moments = {item.pop("created_at"), item.pop("updated_at")}
    assert len(moments) == 1
    assert abs(datetime.fromisoformat(moments.pop()) - datetime.now(UTC)).total_seconds() < 5
    assert item == {
        "id": item["id"],
        "sku": "MUG",
        "name": "Enamel mug",
        "description": None,
        "price": {"amount": "12.99", "currency": "EUR"},
        "attributes": {"a": [1, None, "ü"]},
        "tax_class": "standard",
        "status": "active",
        "stock": {"on_hand": 5, "reserved": 0, "available": 5},
        "version": 1,
    }
    assert shop.get(f"/items/{item['id']}").body == created.body


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1", "EUR", "1.00"),
        ("1.5", "EUR", "1.50"),
        ("1200", "JPY", "1200"),
        ("0.1", "BHD", "0.100"),
        ("0", "EUR", "0.00"),
    ],
)
def test_prices_come_out_with_the_digits_of_their_currency(shop: Shop, amount: str, currency: str, shown: str) -> None:
    item = shop.add(price={"amount": amount, "currency": currency})
    assert item["price"] == {"amount": shown, "currency": currency}
    assert shop.item(item["id"])["price"] == item["price"]


def test_a_reader_who_has_the_version_gets_304(shop: Shop) -> None:
    item = shop.add(stock=5)
    path = f"/items/{item['id']}"
    known = shop.get(path).etag
    again = shop.get(path, If_None_Match=f'"99", W/{known}')
    assert (again.status, again.body, again.etag) == (304, b"", known)
    shop.adjust(item["id"], -1)
    changed = shop.get(path, If_None_Match=known)
    assert changed.status == 200
    assert changed.json["stock"]["available"] == 4


def test_a_merge_patch_changes_what_it_names(shop: Shop) -> None:
    item = shop.add(sku="A", description="Old", attributes={"colour": "red", "size": {"h": 1, "w": 2}})
    patch = {
        "price": {"amount": "9"},
        "description": None,
        "attributes": {"colour": None, "size": {"h": 3}},
    }
    headers = {"If-Match": '"1"', "Content-Type": "application/merge-patch+json"}
    changed = shop.call("PATCH", f"/items/{item['id']}", patch, headers)
    assert changed.status == 200
    assert changed.etag == '"2"'
    assert changed.json["price"] == {"amount": "9.00", "currency": "EUR"}
    assert changed.json["description"] is None
    assert changed.json["attributes"] == {"size": {"h": 3, "w": 2}}
    assert (changed.json["name"], changed.json["sku"]) == ("Enamel mug", "A")
    assert shop.item(item["id"]) == changed.json


def test_entity_tags_are_compared_as_they_are_written(shop: Shop) -> None:
    """Commas within quotes do not end a tag; other spellings of a number differ; If-Match rejects weak tags."""
    path = f"/items/{shop.add()['id']}"
    for tags in ('"9,1"', '"1,"', '"01"', '"+1"', '" 1"', 'W/"1"', '"2", W/"1"', '"١"'):
        refused = shop.patch(path, {"name": "Changed"}, tags)
        assert refused.code == "PRECONDITION_FAILED", tags
    for tags in ('"9,1"', '"01"', '"2", "1 "'):
        assert shop.get(path, If_None_Match=tags).status == 200, tags
    for tags in ('W/"1"', '"9,1", "1"', '"9",W/"1"', "*"):
        assert shop.get(path, If_None_Match=tags).status == 304, tags
    assert shop.patch(path, {"name": "Changed"}, '"9,1" , "1"').status == 200


def test_a_search_by_sku_shows_only_the_item_that_has_it(shop: Shop, rival: Shop) -> None:
    """The SKU marker is read first; the item may have another SKU when it is read."""
    item = shop.add(sku="A")
    with interleaved(lambda: rival.patch(f"/items/{item['id']}", {"sku": "B"}, "*"), before="GetItem", number=2):
        assert shop.get("/items?sku=A").json["items"] == []


@pytest.mark.parametrize("unseen", ["\u200b", "\u202e", "\u00ad", "\ufeff", "\u2066"])
def test_skus_that_look_alike_are_one_or_refused(shop: Shop, unseen: str) -> None:
    item = shop.add(sku="CAF\u00c9")
    assert shop.post("/items", new_item(sku="CAFE\u0301")).code == "SKU_TAKEN"
    assert shop.get("/items?sku=CAFE%CC%81").json["items"][0]["id"] == item["id"]
    longest = shop.add(sku="\u0958" * 32)
    assert shop.patch(f"/items/{longest['id']}", {"name": "Other"}, "*").status == 200
    assert shop.post("/items", new_item(sku="\u0958" * 33)).pointers == ["/sku"]
    rows = [new_item(sku="CR\u00c8ME"), new_item(sku="CRE\u0300ME")]
    assert [row["status"] for row in shop.post("/items/batch", {"items": rows}).json["results"]] == [201, 409]
    for sku in (f"CAF{unseen}\u00c9", f"{unseen}X", f"X{unseen}"):
        assert shop.post("/items", new_item(sku=sku)).pointers == ["/sku"]


def test_a_change_must_name_the_version_that_it_changes(shop: Shop) -> None:
    item = shop.add()
    path = f"/items/{item['id']}"
    assert shop.call("PATCH", path, {"name": "B"}).code == "PRECONDITION_REQUIRED"
    assert shop.call("DELETE", path).code == "PRECONDITION_REQUIRED"
    assert shop.patch(path, {"name": "B"}, '"1"').status == 200
    assert shop.patch(path, {"name": "C"}, '"1"').code == "PRECONDITION_FAILED"
    assert shop.patch(path, {"name": "C"}, 'W/"2"').code == "PRECONDITION_FAILED"
    assert shop.delete(path, '"1"').code == "PRECONDITION_FAILED"
    assert shop.patch(path, {"name": "C"}, '"1", "2"').status == 200
    assert shop.patch(path, {"name": "D"}, "*").json["name"] == "D"
    assert shop.patch(path, {"name": "E"}, f'"{"9" * 5000}"').code == "PRECONDITION_FAILED"


def test_sales_do_not_keep_an_item_from_being_edited(shop: Shop) -> None:
    item = shop.add(stock=5)
    path = f"/items/{item['id']}"
    shop.adjust(item["id"], -1)
    edited = shop.patch(path, {"name": "B"}, '"1"')
    assert (edited.status, edited.etag) == (200, '"3"')
    assert shop.patch(path, {"name": "C"}, '"2"').code == "PRECONDITION_FAILED"
    assert shop.patch(path, {"name": "C"}, edited.etag).status == 200
    listed = shop.get("/items").json["items"][0]
    assert listed["version"] == shop.item(item["id"])["version"] == 4


def test_a_sku_is_unique_and_moves_with_its_item(shop: Shop) -> None:
    first, second = shop.add(sku="A"), shop.add(sku="B")
    taken = shop.post("/items", new_item(sku="A"))
    assert (taken.status, taken.code, taken.pointers) == (409, "SKU_TAKEN", ["/sku"])
    assert shop.patch(f"/items/{second['id']}", {"sku": "A"}, '"1"').code == "SKU_TAKEN"
    assert shop.patch(f"/items/{first['id']}", {"sku": "C"}, '"1"').status == 200
    assert shop.patch(f"/items/{second['id']}", {"sku": "A"}, '"1"').status == 200
    assert [item["id"] for item in shop.get("/items?sku=A").json["items"]] == [second["id"]]
    assert [item["id"] for item in shop.get("/items?sku=C").json["items"]] == [first["id"]]
    assert shop.get("/items?sku=B").json == {"items": [], "next_cursor": None}
    assert shop.patch(f"/items/{second['id']}", {"sku": None}, '"2"').json["sku"] is None
    assert shop.post("/items", new_item(sku="A")).status == 201


def test_an_archived_item_is_readable_and_no_longer_sold(shop: Shop) -> None:
    item, other = shop.add(sku="A"), shop.add()
    path = f"/items/{item['id']}"
    gone = shop.delete(path, '"1"')
    assert (gone.status, gone.body) == (204, b"")
    assert shop.item(item["id"])["status"] == "archived"
    assert [each["id"] for each in shop.walk(10)] == [other["id"]]
    assert [each["id"] for each in shop.walk(10, "/items?status=archived")] == [item["id"]]
    assert shop.get("/items?sku=A").json["items"] == []
    assert shop.get("/items?sku=A&status=archived").json["items"][0]["id"] == item["id"]
    assert shop.patch(path, {"name": "B"}, '"2"').code == "ITEM_ARCHIVED"
    assert shop.delete(path, '"2"').status == 204
    assert shop.item(item["id"])["version"] == 2


def test_stock_goes_up_and_down_but_not_below_what_is_free(shop: Shop) -> None:
    item = shop.add(stock=5)
    assert shop.adjust(item["id"], 3).json["stock"] == {"on_hand": 8, "reserved": 0, "available": 8}
    answer = shop.adjust(item["id"], -8)
    assert answer.json["stock"]["on_hand"] == 0
    assert answer.json["version"] == 3
    short = shop.adjust(item["id"], -1)
    assert (short.status, short.code) == (409, "OUT_OF_STOCK")
    assert short.json["errors"] == [{"pointer": "/delta", "code": "OUT_OF_STOCK", "detail": "0 available"}]
    assert shop.adjust(item["id"], 1_000_000_000).status == 200
    assert shop.adjust(item["id"], 1).code == "INVALID_STATE"


def test_uncounted_stock_cannot_be_adjusted(shop: Shop) -> None:
    item = shop.add()
    assert item["stock"] is None
    assert shop.adjust(item["id"], 1).code == "INVALID_STATE"


def test_a_batch_creates_what_it_can_and_says_why_not_the_rest(shop: Shop) -> None:
    rows = [new_item(sku="A"), new_item(sku="A"), {"name": "no price"}, new_item(sku="B", stock=2)]
    answer = shop.post("/items/batch", {"items": rows})
    assert answer.status == 200
    results = answer.json["results"]
    assert [(row["index"], row["status"]) for row in results] == [(0, 201), (1, 409), (2, 400), (3, 201)]
    assert set(results[0]) == {"index", "status", "item"}
    assert set(results[1]) == {"index", "status", "problem"}
    assert results[1]["problem"]["code"] == "SKU_TAKEN"
    assert results[2]["problem"]["errors"][0]["pointer"] == "/price"
    assert {item["sku"] for item in shop.walk(10)} == {"A", "B"}
    assert shop.item(results[3]["item"]["id"]) == results[3]["item"]


def test_what_others_have_is_like_what_nobody_has(shop: Shop) -> None:
    theirs = Shop(shop.send).add(sku="A", stock=1)["id"]
    nobodys = theirs[:-1] + ("0" if theirs[-1] != "0" else "1")
    for item_id in (theirs, nobodys, "item_x", "nonsense", theirs.lower()):
        for answer in (
            shop.get(f"/items/{item_id}"),
            shop.patch(f"/items/{item_id}", {"name": "B"}, '"1"'),
            shop.delete(f"/items/{item_id}", '"1"'),
            shop.adjust(item_id, 1),
        ):
            assert (answer.status, answer.code) == (404, "NOT_FOUND"), item_id
            assert answer.json["detail"] == "There is no such item."
    assert shop.walk(10) == []
    assert shop.get("/items?sku=A").json["items"] == []
    assert shop.add(sku="A")["sku"] == "A"


def test_reads_and_writes_cost_what_the_design_says(shop: Shop) -> None:
    created = shop.post("/items", new_item(sku="A", stock=5), key="k")
    item = created.json
    assert (created.headers["x-db-requests"], created.reads) == ("3", 2)  # token check, tenant's currencies
    assert created.writes <= 11
    read = shop.get(f"/items/{item['id']}")
    assert (read.headers["x-db-requests"], read.reads, read.writes) == ("1", 1, 0)
    adjusted = shop.adjust(item["id"], -1)
    assert (adjusted.headers["x-db-requests"], adjusted.reads) == ("3", 2)
    assert adjusted.writes <= 6
    changed = shop.patch(f"/items/{item['id']}", {"name": "B"}, adjusted.etag)
    assert changed.writes <= 7


def test_the_tax_class_is_changed_and_reset(shop: Shop) -> None:
    item = shop.add(tax_class="reduced")
    assert shop.patch(f"/items/{item['id']}", {"name": "Tea"}, "*").json["tax_class"] == "reduced"
    assert shop.patch(f"/items/{item['id']}", {"tax_class": "zero"}, "*").json["tax_class"] == "zero"
    assert shop.patch(f"/items/{item['id']}", {"tax_class": None}, "*").json["tax_class"] == "standard"
    assert shop.patch(f"/items/{item['id']}", {"tax_class": "Über"}, "*").pointers == ["/tax_class"]


def test_a_cursor_is_not_ignored_beside_a_search_for_one(shop: Shop) -> None:
    assert shop.get("/items?sku=A&cursor=x").code == "CURSOR_INVALID"
    assert shop.get("/users?email=jane@example.com&cursor=x").code == "CURSOR_INVALID"


def test_the_instance_of_a_problem_is_a_uri(shop: Shop) -> None:
    assert shop.get("/items/%3Cstring%3E").json["instance"] == "/v1/items/%3Cstring%3E"
    assert shop.get("/items/%C3%A9").json["instance"] == "/v1/items/%C3%A9"
