"""Tests of inviting, finding and changing users."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.identity.permissions import Role
from tests.people import as_user, new_user
from tests.shop import Answer, Shop


@pytest.mark.parametrize(
    "spelling",
    ["JANE@example.com", "jane@EXAMPLE.com", "ｊａｎｅ@example.com", "jane@ｅxample.com", " jane@example.com"],
)
def test_one_address_in_any_spelling_is_taken_once(shop: Shop, spelling: str) -> None:
    shop.post("/users", new_user(email="jane@example.com"))
    answer = shop.post("/users", new_user(email=spelling), key="k")
    if spelling.startswith(" "):
        assert (answer.status, answer.pointers) == (400, ["/email"])
        return
    assert (answer.status, answer.code, answer.pointers) == (409, "EMAIL_TAKEN", ["/email"])
    assert shop.post("/users", new_user(email=spelling), key="k").body == answer.body
    other = Shop(shop.send)
    assert other.post("/users", new_user(email=spelling)).status == 201


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"email": "nobody"}, "/email"),
        ({"email": "a@b@c.example"}, "/email"),
        ({"email": "a@localhost"}, "/email"),
        ({"email": None}, "/email"),
        ({"email": f"{'a' * 60}@{'b' * 60}.example"}, "/email"),
        ({"name": ""}, "/name"),
        ({"name": "a\x00"}, "/name"),
        ({"phone": "030 123"}, "/phone"),
        ({"role": 7}, "/role"),
        ({"tenant": "other"}, "/tenant"),
    ],
)
def test_a_bad_user_is_refused(shop: Shop, fields: dict[str, Any], pointer: str) -> None:
    answer = shop.post("/users", new_user(**fields))
    assert (answer.status, answer.pointers) == (400, [pointer])
    assert answer.writes == 0


def test_nobody_gets_a_role_that_there_is_not_or_raises_their_own(shop: Shop) -> None:
    assert shop.post("/users", new_user(role="admin")).code == "FORBIDDEN"
    customer = as_user(shop, shop.post("/users", new_user()).json)
    staff = as_user(shop, shop.post("/users", new_user(role="staff")).json)
    owner = as_user(shop, shop.post("/users", new_user(role="owner")).json)
    for who, role in ((customer, "owner"), (customer, "customer"), (staff, "owner")):
        refused = who.patch(f"/users/{who.user}", {"role": role}, "*")
        assert (refused.status, refused.code, refused.writes) == (403, "FORBIDDEN", 0)
        assert shop.get(f"/users/{who.user}").json["role"] == who.role
    assert owner.patch(f"/users/{owner.user}", {"role": "staff"}, "*").code == "INVALID_STATE"
    assert owner.call("DELETE", f"/users/{owner.user}").code == "INVALID_STATE"
    assert staff.post("/users", new_user(role="staff")).code == "FORBIDDEN"
    assert staff.post("/users", new_user()).status == 201


type Act = Callable[[Shop, str], Answer]


READ: Act = lambda who, user_id: who.get(f"/users/{user_id}")  # noqa: E731


CHANGE: Act = lambda who, user_id: who.patch(f"/users/{user_id}", {"name": "New Name"}, "*")  # noqa: E731


DELETE: Act = lambda who, user_id: who.call("DELETE", f"/users/{user_id}")  # noqa: E731


@pytest.mark.parametrize(
    ("act", "own", "others"),
    [
        (READ, {"owner", "staff", "customer"}, {"owner", "staff"}),
        (CHANGE, {"owner", "staff", "customer"}, {"owner"}),
        (DELETE, set(), {"owner"}),
    ],
    ids=["read", "change", "delete"],
)
@pytest.mark.parametrize("role", list(Role))
def test_what_a_role_may_do_to_its_own_profile_and_others(
    shop: Shop, role: Role, act: Act, own: set[str], others: set[str]
) -> None:
    who = as_user(shop, shop.post("/users", new_user(role=role.value)).json)
    other = shop.post("/users", new_user()).json["id"]
    nobody = "00000000-0000-4000-8000-000000000000"
    mine = act(who, who.user)
    assert (mine.status in {200, 204}) == (role.value in own)
    for user_id in (nobody, other):
        answer = act(who, user_id)
        if role.value in others:
            assert answer.status == (404 if user_id == nobody else 204 if act is DELETE else 200)
        else:
            assert (answer.status, answer.code) == (403, "FORBIDDEN")


def test_letters_of_another_alphabet_are_not_folded_into_one_address(shop: Shop) -> None:
    assert shop.post("/users", new_user(email="straße@example.com")).status == 201
    assert shop.post("/users", new_user(email="strasse@example.com")).status == 201
    assert shop.post("/users", new_user(email="STRASSE@example.com")).code == "EMAIL_TAKEN"


def test_reserved_domains_are_refused_outside_the_local_server(shop: Shop) -> None:
    refused = shop.post("/users", new_user(email="sam@shop.test"))
    assert (refused.status, refused.pointers) == (400, ["/email"])
