"""Tests of races that are always lost: another client writes between a command's reads and its transaction."""

from uuid import uuid4

from tests.faults import interleaved
from tests.people import Operator, new_tenant, new_user
from tests.shop import Send, Shop, new_item


def test_an_edit_between_makes_an_edit_fail(shop: Shop, rival: Shop) -> None:
    item = shop.add(sku="A")
    path = f"/items/{item['id']}"
    with interleaved(lambda: rival.patch(path, {"name": "First"}, '"1"')):
        late = shop.patch(path, {"name": "Second", "sku": "B"}, '"1"')
    assert (late.status, late.code) == (412, "PRECONDITION_FAILED")
    assert (shop.item(item["id"])["name"], shop.item(item["id"])["sku"]) == ("First", "A")
    assert shop.post("/items", new_item(sku="B")).status == 201


def test_an_edit_of_any_version_is_made_on_top_of_one_between(shop: Shop, rival: Shop) -> None:
    item = shop.add(sku="A")
    path = f"/items/{item['id']}"
    with interleaved(lambda: rival.patch(path, {"name": "First"}, '"1"')):
        late = shop.patch(path, {"description": "Second"}, "*")
    assert (late.json["name"], late.json["description"], late.etag) == ("First", "Second", '"3"')
    with interleaved(lambda: rival.patch(path, {"name": "Third"}, "*")):
        assert shop.delete(path, "*").status == 204
    assert (shop.item(item["id"])["status"], shop.item(item["id"])["name"]) == ("archived", "Third")


def test_an_archiving_between_makes_an_edit_fail(shop: Shop, rival: Shop) -> None:
    item = shop.add()
    path = f"/items/{item['id']}"
    with interleaved(lambda: rival.delete(path, '"1"')):
        assert shop.patch(path, {"name": "Second"}, '"1"').code == "PRECONDITION_FAILED"
    assert shop.item(item["id"])["status"] == "archived"
    other = shop.add()
    with interleaved(lambda: rival.patch(f"/items/{other['id']}", {"name": "First"}, '"1"')):
        assert shop.delete(f"/items/{other['id']}", '"1"').code == "PRECONDITION_FAILED"


def test_units_counted_between_are_not_lost(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=5)
    with interleaved(lambda: rival.adjust(item["id"], -2)):
        adjusted = shop.adjust(item["id"], -3)
    assert adjusted.json["stock"] == {"on_hand": 0, "reserved": 0, "available": 0}
    assert shop.item(item["id"]) == adjusted.json
    with interleaved(lambda: rival.adjust(item["id"], 1)):
        assert shop.adjust(item["id"], 1).json["stock"]["on_hand"] == 2
    with interleaved(lambda: rival.adjust(item["id"], -1)):
        assert shop.adjust(item["id"], -2).code == "OUT_OF_STOCK"
    assert shop.item(item["id"])["stock"]["on_hand"] == 1


def test_an_edit_and_a_count_between_both_hold(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=5)
    path = f"/items/{item['id']}"
    with interleaved(lambda: rival.adjust(item["id"], 1)):
        assert shop.patch(path, {"name": "New"}, '"1"').status == 200
    now = shop.item(item["id"])
    assert (now["name"], now["stock"]["on_hand"], now["version"]) == ("New", 6, 3)
    assert shop.patch(path, {"name": "Newer"}, '"3"').status == 200


def test_a_count_after_an_edit_between_shows_the_edit(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=5)
    path = f"/items/{item['id']}"
    with interleaved(lambda: rival.patch(path, {"name": "Edited"}, '"1"')):
        counted = shop.adjust(item["id"], -1)
    assert counted.json == shop.item(item["id"])
    assert (counted.json["name"], counted.etag) == ("Edited", '"3"')


def test_the_same_command_between_is_replayed(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=5)
    with interleaved(lambda: rival.adjust(item["id"], -1, key="k")):
        late = shop.adjust(item["id"], -1, key="k")
    assert late.headers["idempotent-replayed"] == "true"
    assert shop.item(item["id"])["stock"]["on_hand"] == 4
    with interleaved(lambda: rival.post("/items", new_item(name="First"), key="k")):
        assert shop.post("/items", new_item(name="Second"), key="k").code == "IDEMPOTENCY_KEY_REUSED"


def test_an_address_claimed_between_is_taken(shop: Shop, rival: Shop) -> None:
    user = new_user()
    with interleaved(lambda: rival.post("/users", user)):
        late = shop.post("/users", user | {"role": "owner"})
    assert (late.status, late.code) == (409, "EMAIL_TAKEN")
    assert [each["role"] for each in shop.walk(10, "/users?")] == ["customer"]


def test_a_change_of_a_user_between_makes_a_change_fail(shop: Shop, rival: Shop) -> None:
    user = shop.post("/users", new_user()).json
    path = f"/users/{user['id']}"
    with interleaved(lambda: rival.patch(path, {"name": "First"}, "*")):
        assert shop.patch(path, {"role": "owner"}, '"1"').code == "PRECONDITION_FAILED"
    assert shop.get(path).json["role"] == "customer"
    with interleaved(lambda: rival.patch(path, {"name": "Other"}, "*")):
        changed = shop.patch(path, {"role": "staff"}, "*")
    assert (changed.json["name"], changed.json["role"], changed.etag) == ("Other", "staff", '"4"')
    with interleaved(lambda: rival.patch(path, {"name": "Second"}, "*")):
        assert shop.call("DELETE", path).status == 204
    assert shop.get(path).json["name"] is None


def test_a_tenant_made_or_changed_between_is_not_overwritten(operator: Operator, send_elsewhere: Send) -> None:
    rival = Operator(send_elsewhere, operator.key)
    tenant = new_tenant(name="First")
    with interleaved(lambda: rival.call("POST", "/tenants", tenant)):
        late = operator.call("POST", "/tenants", tenant | {"name": "Second"})
    assert late.code == "INVALID_STATE"
    path = f"/tenants/{tenant['id']}"
    with interleaved(lambda: rival.call("PATCH", path, {"name": "Third"}, If_Match="*")):
        assert operator.call("PATCH", path, {"name": "Fourth"}, If_Match='"1"').code == "PRECONDITION_FAILED"
    assert operator.call("GET", path).json["name"] == "Third"
    with interleaved(lambda: rival.call("PATCH", path, {"currencies": ["EUR"]}, If_Match="*")):
        changed = operator.call("PATCH", path, {"name": "Fifth"}, If_Match="*")
    assert (changed.json["name"], changed.json["currencies"]) == ("Fifth", ["EUR"])


def test_a_batch_with_the_same_key_between_is_told_to_wait(shop: Shop, rival: Shop) -> None:
    rows = {"items": [new_item(sku="A")]}
    answers = []
    with interleaved(lambda: answers.append(rival.post("/items/batch", rows, key="k"))):
        done = shop.post("/items/batch", rows, key="k")
    assert answers[0].code == "IDEMPOTENCY_IN_PROGRESS"
    assert (done.status, len(shop.walk(10))) == (200, 1)


def test_a_price_changed_between_is_charged_or_told(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=5)
    path = f"/items/{item['id']}"
    with interleaved(lambda: rival.patch(path, {"price": {"amount": "1.00"}}, "*")):
        assert shop.order({item["id"]: 1}).json["total"]["amount"] == "1.00"
    line = {"item_id": item["id"], "quantity": 1, "unit_price": {"amount": "1.00", "currency": "EUR"}}
    with interleaved(lambda: rival.patch(path, {"price": {"amount": "2.00"}}, "*")):
        assert shop.post("/orders", {"lines": [line]}, key="k").code == "PRICE_CHANGED"
    with interleaved(lambda: rival.delete(path, "*")):
        assert shop.order({item["id"]: 1}).code == "ITEM_ARCHIVED"
    assert shop.stock(item["id"]) == (5, 1, 4)


def test_an_uncounted_item_archived_between_is_not_sold(shop: Shop, rival: Shop) -> None:
    item = shop.add()
    with interleaved(lambda: rival.delete(f"/items/{item['id']}", "*")):
        assert shop.order({item["id"]: 1}).code == "ITEM_ARCHIVED"
    assert shop.walk(10, "/orders?") == []


def test_units_sold_between_are_not_sold_again(shop: Shop, rival: Shop) -> None:
    item, other = shop.add(stock=5), shop.add(stock=5)
    with interleaved(lambda: rival.order({item["id"]: 3})):
        assert shop.order({other["id"]: 1, item["id"]: 3}).code == "OUT_OF_STOCK"
    assert (shop.stock(item["id"]), shop.stock(other["id"])) == ((5, 3, 2), (5, 0, 5))
    with interleaved(lambda: rival.adjust(item["id"], -2)):
        assert shop.order({item["id"]: 1}).code == "OUT_OF_STOCK"
    with interleaved(lambda: rival.order({other["id"]: 5})):
        assert shop.adjust(other["id"], -1).code == "OUT_OF_STOCK"


def test_a_move_between_makes_a_move_decide_again(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=5)
    order_id = shop.order({item["id"]: 2}).json["id"]
    with interleaved(lambda: rival.pay(order_id)):
        assert shop.move(order_id, "cancel").code == "INVALID_STATE"
    with interleaved(lambda: rival.move(order_id, "ship")):
        assert shop.post(f"/orders/{order_id}/shipments", None).code == "INVALID_STATE"
    assert shop.stock(item["id"]) == (3, 0, 3)
    with interleaved(lambda: rival.move(order_id, "deliver", key="k")):
        late = shop.move(order_id, "deliver", key="k")
    assert late.headers["idempotent-replayed"] == "true"
    with interleaved(lambda: rival.move(order_id, "refund")):
        assert shop.move(order_id, "refund").code == "INVALID_STATE"


def test_a_refund_after_a_shipment_between_is_of_shipped_units(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=5)["id"]
    order = shop.order({item: 2}).json["id"]
    shop.pay(order)
    lines = [{"item_id": item, "quantity": 1, "restock": True}]
    with interleaved(lambda: rival.move(order, "ship")):
        assert shop.post(f"/orders/{order}/refunds", {"lines": lines}, key="k").status == 201
    assert shop.stock(item) == (4, 0, 4)
    with interleaved(lambda: rival.post(f"/orders/{order}/refunds", {"lines": lines}, key="r")):
        assert shop.post(f"/orders/{order}/refunds", {"lines": lines}, key="k2").code == "REFUND_TOO_LARGE"
    assert shop.stock(item) == (5, 0, 5)


def _code(shop: Shop, **limits: int) -> tuple[str, str]:
    """Add a code and an item; return the path of the code and the item's id."""
    discount = shop.post("/discounts", {"code": "TEN", "percent": "10"} | limits).json["id"]
    return f"/discounts/{discount}", shop.add(stock=9)["id"]


def test_a_code_that_was_used_up_or_archived_between_is_refused(shop: Shop, rival: Shop) -> None:
    path, item = _code(shop, max_uses=1)
    other = str(uuid4())
    with interleaved(lambda: rival.order({item: 1}, customer_id=other, discount_code="TEN")):
        assert shop.order({item: 1}, discount_code="TEN").code == "DISCOUNT_INVALID"
    shop.patch(path, {"max_uses": 5}, "*")
    with interleaved(lambda: rival.delete(path, "*")):
        assert shop.order({item: 1}, discount_code="TEN").code == "DISCOUNT_INVALID"
    assert (shop.get(path).json["uses"], shop.stock(item)) == (1, (9, 1, 8))


def test_a_customers_limit_holds_if_they_order_between(shop: Shop, rival: Shop) -> None:
    path, item = _code(shop, max_uses_per_customer=1)
    with interleaved(lambda: rival.order({item: 1}, discount_code="TEN")):
        assert shop.order({item: 1}, discount_code="TEN").code == "DISCOUNT_INVALID"
    shop.patch(path, {"max_uses_per_customer": 2}, "*")
    with interleaved(lambda: rival.order({item: 1}, discount_code="TEN")):
        assert shop.order({item: 1}, discount_code="TEN").code == "DISCOUNT_INVALID"
    assert shop.get(path).json["uses"] == 2


def test_an_edit_of_a_code_between_is_not_lost(shop: Shop, rival: Shop) -> None:
    path, item = _code(shop)
    with interleaved(lambda: rival.patch(path, {"max_uses": 5}, '"1"')):
        assert shop.patch(path, {"max_uses": 7}, '"1"').code == "PRECONDITION_FAILED"
    with interleaved(lambda: rival.patch(path, {"max_uses": 6}, "*")):
        assert shop.patch(path, {"max_uses_per_customer": 2}, "*").json["max_uses"] == 6
    with interleaved(lambda: rival.order({item: 1}, discount_code="TEN")):
        edited = shop.patch(path, {"max_uses": 3}, "*")
    shown = shop.get(path).json
    assert edited.json == shown
    assert shop.patch(path, {"max_uses": 3}, edited.etag).status == 200
    assert (shown["uses"], shown["max_uses"], shown["version"]) == (1, 3, 6)


def test_the_same_order_placed_between_is_replayed(shop: Shop, rival: Shop) -> None:
    item = shop.add(stock=3)
    with interleaved(lambda: rival.order({item["id"]: 3}, key="k")):
        late = shop.order({item["id"]: 3}, key="k")
    assert (late.status, late.headers["idempotent-replayed"]) == (201, "true")
    assert shop.stock(item["id"]) == (3, 3, 0)
