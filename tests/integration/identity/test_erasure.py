"""Tests of erasing users and revoking roles."""

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from domain.common.environment import now
from domain.common.errors import Forbidden
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import encode
from tests.faults import before_call, interleaved
from tests.integration.identity.common import claims_for, pool_user
from tests.people import as_user, new_user
from tests.shop import Answer, Shop, new_item


def test_a_user_is_invited_found_changed_and_erased(shop: Shop) -> None:
    user = shop.post("/users", new_user(email="Jane.Doe@Bücher.example", phone="+4930123456")).json
    tenant, canonical = shop.tenant, "jane.doe@xn--bcher-kva.example"
    assert user["email"] == "Jane.Doe@Bücher.example"
    in_pool = pool_user(tenant, canonical)
    assert in_pool
    assert (in_pool["sub"], in_pool["groups"]) == (user["id"], ["customer"])
    path = f"/users/{user['id']}"
    assert shop.get(path).json == user
    assert shop.get("/users?email=JANE.DOE@xn--bcher-kva.EXAMPLE").json["items"] == [user]
    assert shop.walk(1, "/users?") == [user]
    changed = shop.patch(path, {"name": "Jane Roe", "phone": None, "role": "staff"}, '"1"')
    assert (changed.json["name"], changed.json["phone"], changed.json["role"]) == ("Jane Roe", None, "staff")
    in_pool = pool_user(tenant, canonical)
    assert in_pool
    assert in_pool["groups"] == ["staff"]
    assert shop.patch(path, {"name": "X"}, '"1"').code == "PRECONDITION_FAILED"
    assert shop.call("DELETE", path).status == 204
    left = shop.get(path).json
    assert (left["status"], left["email"], left["name"], left["phone"]) == ("deleted", None, None, None)
    assert left["id"] == user["id"]
    assert pool_user(tenant, canonical) is None
    assert shop.walk(10, "/users?") == []
    assert shop.call("DELETE", path).status == 204
    assert shop.patch(path, {"name": "X"}, "*").code == "NOT_FOUND"
    anew = shop.post("/users", new_user(email="jane.doe@bücher.example"))
    assert anew.status == 201
    assert anew.json["id"] != user["id"]


def test_a_deleted_users_token_writes_nothing_at_once(shop: Shop) -> None:
    staff = as_user(shop, shop.post("/users", new_user(role="staff")).json)
    token = staff.token()
    assert staff.call("POST", "/items", new_item(), token=token).status == 201
    shop.call("DELETE", f"/users/{staff.user}")
    refused = staff.call("POST", "/items", new_item(), token=token)
    assert (refused.status, refused.code, refused.writes) == (401, "UNAUTHORIZED", 0)
    assert staff.call("GET", "/items", token=token).status == 200
    with pytest.raises(Forbidden):
        claims_for(shop.tenant, "x@example.com", staff.user)


def test_a_role_taken_away_is_gone_for_writes_at_once(shop: Shop) -> None:
    user = shop.post("/users", new_user(role="staff")).json
    staff = as_user(shop, user)
    token = staff.token()
    shop.patch(f"/users/{staff.user}", {"role": "customer"}, '"1"')
    assert staff.call("POST", "/items", new_item(), token=token).code == "UNAUTHORIZED"
    assert claims_for(shop.tenant, user["email"], staff.user)["groupOverrideDetails"]["groupsToOverride"] == [
        "customer"
    ]


def test_a_key_used_again_invites_nobody(shop: Shop) -> None:
    first = shop.post("/users", new_user(email="first@example.com"), key="k")
    assert shop.post("/users", new_user(email="second@example.com"), key="k").code == "IDEMPOTENCY_KEY_REUSED"
    assert pool_user(shop.tenant, "second@example.com") is None
    shop.call("DELETE", f"/users/{first.json['id']}")
    again = shop.post("/users", new_user(email="first@example.com"), key="k")
    assert (again.status, again.headers["idempotent-replayed"], again.json["id"]) == (201, "true", first.json["id"])
    assert pool_user(shop.tenant, "first@example.com") is None


def test_an_erased_user_leaves_nothing_personal_in_the_answers_that_are_kept(shop: Shop) -> None:
    asked = new_user(email="jane@example.com", name="Jane Doe", phone="+4930123456")
    user = shop.post("/users", asked, key="k").json
    shop.patch(f"/users/{user['id']}", {"name": "Jane Roe"}, "*")
    assert shop.call("DELETE", f"/users/{user['id']}").status == 204
    again = shop.post("/users", asked, key="k")
    assert again.json == shop.get(f"/users/{user['id']}").json
    assert (again.status, again.etag, again.json["status"]) == (201, '"3"', "deleted")
    for secret in (b"jane", b"Jane", b"4930123456"):
        assert secret not in again.body


def test_a_user_whose_record_has_gone_is_erased_all_the_same(shop: Shop) -> None:
    user = shop.post("/users", new_user(), key="k").json
    row = dynamodb().get_item(TableName="tradepost", Key=encode(keys.user(shop.tenant, user["id"])._asdict()))["Item"]
    record = keys.idempotency(shop.tenant, row["scope"]["S"])
    dynamodb().delete_item(TableName="tradepost", Key=encode(record._asdict()))
    assert shop.call("DELETE", f"/users/{user['id']}").status == 204
    assert shop.get(f"/users/{user['id']}").json["status"] == "deleted"


def test_a_record_that_goes_while_its_user_is_erased_is_not_made_anew(shop: Shop) -> None:
    user = shop.post("/users", new_user(email="late@example.com"), key="k").json
    row = dynamodb().get_item(TableName="tradepost", Key=encode(keys.user(shop.tenant, user["id"])._asdict()))["Item"]
    record = encode(keys.idempotency(shop.tenant, row["scope"]["S"])._asdict())
    with interleaved(lambda: dynamodb().delete_item(TableName="tradepost", Key=record)):
        assert shop.call("DELETE", f"/users/{user['id']}").status == 204
    assert "Item" not in dynamodb().get_item(TableName="tradepost", Key=record)
    assert shop.post("/users", new_user(email="late@example.com"), key="k").json["id"] != user["id"]


def test_what_another_command_answered_under_a_key_used_again_is_left_alone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shop.post("/users", new_user(email="first@example.com"), key="k").json
    real = now
    monkeypatch.setattr("handlers.http.admission.now", lambda: real() + timedelta(hours=26))
    second = shop.post("/users", new_user(email="second@example.com"), key="k")
    assert second.status == 201
    assert shop.call("DELETE", f"/users/{first['id']}").status == 204
    again = shop.post("/users", new_user(email="second@example.com"), key="k")
    assert again.body == second.body


def _people(shop: Shop) -> tuple[Shop, Shop]:
    """Return two owners of a shop, both registered as users."""
    first, second = (shop.post("/users", new_user(role="owner")).json for _ in range(2))
    return as_user(shop, first), as_user(shop, second)


@pytest.mark.parametrize("first", ["demote", "delete"])
@pytest.mark.parametrize("second", ["demote", "delete"])
def test_two_owners_cannot_take_each_other_the_shop(shop: Shop, rival: Shop, first: str, second: str) -> None:
    one, other = _people(shop)

    def oust(who: Shop, whom: str, how: str) -> Answer:
        path = f"/users/{whom}"
        return who.patch(path, {"role": "customer"}, "*") if how == "demote" else who.call("DELETE", path)

    with interleaved(lambda: oust(replace(other, send=rival.send), one.user, second)):
        late = oust(one, other.user, first)
    assert (late.status, late.code) == (401, "UNAUTHORIZED")
    [owner] = [user for user in shop.walk(10, "/users?") if user["role"] == "owner"]
    assert owner["id"] == other.user
    in_pool = pool_user(shop.tenant, owner["email"])
    assert in_pool
    assert (in_pool["sub"], in_pool["groups"]) == (other.user, ["owner"])


def test_a_delete_that_stalled_does_not_lock_out_who_has_the_address_now(shop: Shop, rival: Shop) -> None:
    """The delete stalls before each of its calls in turn, while the user is erased and the address invited again."""
    for at in count():
        here, elsewhere = Shop(shop.send), Shop(rival.send)
        elsewhere.tenant = here.tenant
        user = here.post("/users", new_user(email="desk@example.com")).json
        path = f"/users/{user['id']}"
        invited: dict[str, Any] = {}

        def others(elsewhere: Shop = elsewhere, path: str = path, invited: dict[str, Any] = invited) -> None:
            assert elsewhere.call("DELETE", path).status == 204
            invited.update(elsewhere.post("/users", new_user(email="desk@example.com")).json)

        with before_call(at, others) as calls:
            assert here.call("DELETE", path).status == 204
        if not invited:
            break
        in_pool = pool_user(here.tenant, "desk@example.com")
        assert in_pool, (at, calls)
        assert in_pool["sub"] == invited["id"] != user["id"]
        assert here.get(f"/users/{invited['id']}").json["status"] == "active"
    assert at > 2


def test_an_erased_user_does_not_rise_again(shop: Shop, rival: Shop) -> None:
    """Two invitations get the same subject from the pool; the first user is erased before the second is committed."""
    asked = new_user(email="twice@example.com")

    def meanwhile() -> None:
        first = rival.post("/users", asked).json
        assert rival.call("DELETE", f"/users/{first['id']}").status == 204

    with interleaved(meanwhile):
        second = shop.post("/users", asked)
    assert second.status == 201
    [listed] = shop.walk(10, "/users?")
    in_pool = pool_user(shop.tenant, "twice@example.com")
    assert in_pool
    assert listed["id"] == second.json["id"] == in_pool["sub"]


def test_a_search_by_address_shows_nobody_who_was_erased_meanwhile(shop: Shop, rival: Shop) -> None:
    user = shop.post("/users", new_user(email="jane@example.com")).json
    with interleaved(lambda: rival.call("DELETE", f"/users/{user['id']}"), before="GetItem", number=2):
        assert shop.get("/users?email=jane@example.com").json["items"] == []
