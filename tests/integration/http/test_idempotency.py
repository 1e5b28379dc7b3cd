"""Tests of idempotency: a repeated command has one effect and one answer."""

from datetime import timedelta
from uuid import uuid4

import pytest

from domain.common.environment import now
from handlers.invocations.trigger import USUAL
from local.database import TABLE_NAME
from repositories.aws.clients import dynamodb
from repositories.dynamodb import idempotency
from repositories.dynamodb.keys import tenant_prefix
from repositories.identity import traded_currencies
from tests.faults import injected, interleaved
from tests.people import Operator, as_user, new_tenant, new_user
from tests.shop import Shop, new_item


def test_the_first_answer_comes_back_byte_for_byte(shop: Shop) -> None:
    first = shop.post("/items", new_item(sku="A"), key="k")
    shop.patch(f"/items/{first.json['id']}", {"name": "Changed since"}, first.etag)
    again = shop.post("/items", new_item(sku="A"), key="k")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    for name in ("etag", "location", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert len(shop.walk(10)) == 1


def test_another_body_under_the_same_key_is_refused(shop: Shop) -> None:
    shop.post("/items", new_item(), key="k")
    other = shop.post("/items", new_item(name="Other"), key="k")
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert shop.post("/items", new_item(), key="k").status == 201


def test_a_key_belongs_to_its_caller_path_and_tenant(shop: Shop) -> None:
    item = shop.add(stock=1)
    shop.post("/items", new_item(), key="k")
    colleague = shop.acting_as("staff")
    for answer in (
        shop.adjust(item["id"], 1, key="k"),
        colleague.post("/items", new_item(), key="k"),
        Shop(shop.send, user=shop.user).post("/items", new_item(), key="k"),
    ):
        assert answer.status in {200, 201}
        assert "idempotent-replayed" not in answer.headers


def test_business_refusals_are_kept_and_mistakes_are_not(shop: Shop) -> None:
    item = shop.add(stock=1)
    refused = shop.adjust(item["id"], -2, key="k")
    assert refused.code == "OUT_OF_STOCK"
    shop.adjust(item["id"], 5)
    again = shop.adjust(item["id"], -2, key="k")
    assert (again.body, again.headers["idempotent-replayed"]) == (refused.body, "true")
    missing = shop.adjust("item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9", 1, key="k")
    assert shop.adjust("item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9", 1, key="k").body == missing.body
    assert shop.post("/items", {"name": "no price"}, key="k2").status == 400
    assert shop.post("/items", new_item(), key="k2").status == 201


def test_the_effect_is_not_refused_when_its_answer_is_asked_for_again(shop: Shop) -> None:
    item = shop.add(stock=1)
    first = shop.adjust(item["id"], -1, key="k")
    again = shop.adjust(item["id"], -1, key="k")
    assert (first.status, again.status, again.body) == (200, 200, first.body)


@pytest.mark.parametrize("key", ["", " ", "a b", "ü", "x" * 256])
def test_a_key_is_visible_ascii(shop: Shop, key: str) -> None:
    item = shop.add(stock=1)
    body = {"delta": 1, "reason": "x"}
    answer = shop.call("POST", f"/items/{item['id']}/stock", body, {"Idempotency-Key": key})
    assert answer.status == 400
    assert shop.item(item["id"])["stock"]["on_hand"] == 1


def test_where_a_key_is_required_its_absence_is_an_error(shop: Shop) -> None:
    item = shop.add(stock=1)
    answer = shop.call("POST", f"/items/{item['id']}/stock", {"delta": 1, "reason": "x"})
    assert (answer.status, answer.code) == (400, "IDEMPOTENCY_KEY_REQUIRED")


def test_another_body_under_the_same_key_is_that_whatever_is_wrong_with_it(shop: Shop) -> None:
    assert shop.post("/items", new_item(), key="k").status == 201
    for body in ({"name": "no price"}, new_item(colour="red"), b"{", b"[]", new_item(name="Other")):
        refused = shop.call("POST", "/items", body, {"Idempotency-Key": "k"})
        assert (refused.status, refused.code) == (422, "IDEMPOTENCY_KEY_REUSED"), body
        assert shop.call("POST", "/items", body, {"Idempotency-Key": "new"}).status in {400, 201}
    order = shop.order({shop.add(stock=1)["id"]: 1}).json["id"]
    shop.pay(order, key="p")
    assert shop.post(f"/orders/{order}/payments", {"provider": "cash"}, key="p").code == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("void", ["deleted", "demoted"])
def test_a_void_token_gets_no_replays(shop: Shop, void: str) -> None:
    item = shop.add(stock=5)
    staff = as_user(shop, shop.post("/users", new_user(role="staff")).json)
    order = staff.order({item["id"]: 1}, key="place")
    staff.pay(order.json["id"], key="pay")
    if void == "deleted":
        shop.call("DELETE", f"/users/{staff.user}")
    else:
        shop.patch(f"/users/{staff.user}", {"role": "customer"}, "*")
    for answer in (staff.order({item["id"]: 1}, key="place"), staff.pay(order.json["id"], key="pay")):
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert "idempotent-replayed" not in answer.headers


def test_a_caller_who_lost_the_permission_gets_no_replays(shop: Shop) -> None:
    item = shop.add(stock=5)
    staff = as_user(shop, shop.post("/users", new_user(role="staff")).json)
    somebody = str(uuid4())
    assert staff.order({item["id"]: 1}, key="k", customer_id=somebody).status == 201
    customer = Shop(shop.send, shop.key, shop.tenant, "customer", staff.user)
    assert customer.order({item["id"]: 1}, key="k", customer_id=somebody).code == "FORBIDDEN"


def test_a_key_can_be_used_anew_when_its_record_has_expired(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shop.post("/items", new_item(), key="k")
    shop_clock(monkeypatch, timedelta(hours=24))
    assert shop.post("/items", new_item(), key="k").body == first.body
    shop_clock(monkeypatch, timedelta(hours=26))
    assert shop.post("/items", new_item(), key="k").json["id"] != first.json["id"]


def test_a_batch_again_creates_nothing_twice(shop: Shop) -> None:
    rows = {"items": [new_item(sku=f"S{n}") for n in range(20)]}
    first = shop.post("/items/batch", rows, key="k")
    again = shop.post("/items/batch", rows, key="k")
    assert (again.body, again.headers["idempotent-replayed"]) == (first.body, "true")
    assert len(shop.walk(10)) == 20


def test_a_batch_that_died_is_carried_on_after_its_lease(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {"items": [new_item(sku=f"S{n}") for n in range(5)]}

    def die(*_: object) -> None:
        raise RuntimeError("the function died")

    with monkeypatch.context() as dying:
        dying.setattr(idempotency.IdempotencyRecord, "finish", die)
        assert shop.post("/items/batch", rows, key="k").status == 500
    running = shop.post("/items/batch", rows, key="k")
    assert (running.status, running.code) == (409, "IDEMPOTENCY_IN_PROGRESS")
    assert int(running.headers["retry-after"]) >= 1
    # The lease is not taken over while the first function may still run.
    shop_clock(monkeypatch, timedelta(seconds=USUAL.seconds + 5))
    assert shop.post("/items/batch", rows, key="k").code == "IDEMPOTENCY_IN_PROGRESS"
    shop_clock(monkeypatch, timedelta(seconds=90))
    done = shop.post("/items/batch", rows, key="k")
    assert [row["status"] for row in done.json["results"]] == [201] * 5
    assert {item["id"] for item in shop.walk(10)} == {row["item"]["id"] for row in done.json["results"]}
    assert shop.post("/items/batch", rows, key="k").body == done.body


def test_a_dead_batch_is_not_carried_on_with_another_body(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with injected("server error", at=2, times=1000):
        shop.post("/items/batch", {"items": [new_item(sku="A")]}, key="k")
    shop_clock(monkeypatch, timedelta(seconds=90))
    assert shop.post("/items/batch", {"items": [new_item(sku="B")]}, key="k").code == "IDEMPOTENCY_KEY_REUSED"
    assert shop.walk(10) == []


def test_a_dead_batch_is_taken_over_by_one(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {"items": [new_item(sku="A")]}
    with injected("server error", at=2, times=1000):
        shop.post("/items/batch", rows, key="k")
    shop_clock(monkeypatch, timedelta(seconds=90))
    with interleaved(lambda: take_lease(shop), before="PutItem", number=2):
        assert shop.post("/items/batch", rows, key="k").code == "IDEMPOTENCY_IN_PROGRESS"
    assert shop.walk(10) == []


def test_a_batch_that_was_taken_over_does_not_answer_for_the_other(shop: Shop) -> None:
    rows = {"items": [new_item(sku="A")]}
    with interleaved(lambda: take_lease(shop), before="PutItem", number=2):
        assert shop.post("/items/batch", rows, key="k").code == "IDEMPOTENCY_IN_PROGRESS"


def take_lease(shop: Shop) -> None:
    """Extend the lease of the running command, as another function does when it takes over."""
    pages = (
        dynamodb()
        .get_paginator("scan")
        .paginate(
            TableName=TABLE_NAME,
            FilterExpression="begins_with(pk, :tenant) AND attribute_exists(lease_until)",
            ExpressionAttributeValues={":tenant": {"S": tenant_prefix(shop.tenant)}},
        )
    )
    [record] = (row for page in pages for row in page["Items"])
    dynamodb().update_item(
        TableName=TABLE_NAME,
        Key={"pk": record["pk"], "sk": record["sk"]},
        UpdateExpression="SET lease_until = :later",
        ExpressionAttributeValues={":later": {"S": "2999-01-01T00:00:00+00:00"}},
    )


def shop_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Set the functions' clock ahead."""
    monkeypatch.setattr("handlers.http.admission.now", lambda: now() + ahead)


def test_a_later_refusal_does_not_stand_in_for_the_first_answer(operator: Operator, shop: Shop) -> None:
    tenant = operator.call("POST", "/tenants", new_tenant()).json
    owner = Shop(shop.send, tenant=tenant["id"])
    first = owner.post("/items", new_item(), key="k")
    operator.call("PATCH", f"/tenants/{tenant['id']}", {"currencies": ["GBP"]}, If_Match="*")
    traded_currencies.cache.clear()
    assert owner.post("/items", new_item(), key="k2").pointers == ["/price/currency"]
    assert owner.post("/items", new_item(), key="k").body == first.body
