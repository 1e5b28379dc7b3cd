"""Invitations, and names that the pool and the table know differently."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from domain.common.environment import now
from local.invocation import invoke
from repositories.aws.clients import cognito, dynamodb
from repositories.aws.settings import settings
from repositories.identity.user_pool import username
from tests.faults import before_call, injected
from tests.integration.identity.common import pool_user, sign_in_event, sign_up
from tests.people import new_user
from tests.shop import Answer, Shop


def test_an_invitation_goes_on_with_its_own_claim(open_shop: Shop) -> None:
    """The function died after removing the old username; a retry with the same key need not wait for the claim."""
    sign_up(open_shop.tenant, "again@example.com")
    asked = new_user(email="again@example.com")
    with crashing(at=4):  # create, get, delete, create
        open_shop.post("/users", asked, key="k")
    assert open_shop.post("/users", asked, key="k").status == 201


def test_an_erased_profile_stays_when_its_name_is_taken_away(open_shop: Shop) -> None:
    """The user pool still has the username of an erased user, as the erasing function died before removing it."""
    subject = sign_up(open_shop.tenant, "ex@example.com")
    invoke("PostConfirmation", sign_in_event(open_shop.tenant, "ex@example.com", subject))
    with crashing(at=1):
        open_shop.call("DELETE", f"/users/{subject}")
    invited = open_shop.post("/users", new_user(email="ex@example.com"))
    assert (invited.status, invited.json["id"] == subject) == (201, False)
    assert open_shop.get(f"/users/{subject}").json["status"] == "deleted"


def test_a_subject_that_was_erased_is_not_adopted(shop: Shop) -> None:
    """The function that erased the user died before it removed the user from the pool."""
    user = shop.post("/users", new_user(email="left@example.com")).json
    with crashing(at=1):
        shop.call("DELETE", f"/users/{user['id']}")
    left_over = pool_user(shop.tenant, "left@example.com")
    assert left_over
    assert left_over["sub"] == user["id"]
    anew = shop.post("/users", new_user(email="left@example.com"))
    in_pool = pool_user(shop.tenant, "left@example.com")
    assert in_pool
    assert anew.json["id"] == in_pool["sub"] != user["id"]


def test_a_claim_on_an_address_lapses(open_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The claim belongs to an invitation that died; until it lapses, other invitations get CONTENTION."""
    subject = sign_up(open_shop.tenant, "claimed@example.com")
    with crashing(at=3):  # create, get, delete
        open_shop.post("/users", new_user(email="claimed@example.com"))
    monkeypatch.setattr("repositories.dynamodb.session.backoff_seconds", lambda _: 0.0)
    assert open_shop.post("/users", new_user(email="claimed@example.com")).code == "CONTENTION"
    assert open_shop.get("/users?email=claimed@example.com").json["items"] == []
    later = now() + timedelta(seconds=90)
    monkeypatch.setattr("handlers.http.admission.now", lambda: later)
    invited = open_shop.post("/users", new_user(email="claimed@example.com"))
    assert invited.status == 201
    assert invited.json["id"] != subject


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_name_that_is_gone_from_the_pool_is_no_error(shop: Shop, calls: int) -> None:
    user = shop.post("/users", new_user(email="gone@example.com")).json

    def gone() -> None:
        with suppress(cognito().exceptions.UserNotFoundException):
            name = username(shop.tenant, "gone@example.com")
            cognito().admin_delete_user(UserPoolId=settings().user_pool_id, Username=name)

    with before_call(calls - 1, gone, cognito()):
        assert shop.patch(f"/users/{user['id']}", {"role": "staff"}, "*").status == 200
    assert shop.get(f"/users/{user['id']}").json["role"] == "staff"


def test_a_name_that_goes_while_it_is_adopted_is_made_anew(shop: Shop) -> None:
    name, pool = username(shop.tenant, "soon@example.com"), settings().user_pool_id
    cognito().admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    with before_call(1, lambda: cognito().admin_delete_user(UserPoolId=pool, Username=name), cognito()):
        created = shop.post("/users", new_user(email="soon@example.com"))
    in_pool = pool_user(shop.tenant, "soon@example.com")
    assert in_pool
    assert (created.status, created.json["id"]) == (201, in_pool["sub"])


class Crash(BaseException):
    """End of the function at a given call to AWS."""


class Crasher:
    """Event hook that ends the function before call `at` (counted from 1) to any service."""

    def __init__(self, at: int) -> None:
        self.at, self.calls = at, 0

    def __call__(self, **_: Any) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise Crash


@contextmanager
def crashing(at: int) -> Iterator[None]:
    """End the function that is called within before its call number `at` to the user pool."""
    events: Any = cognito().meta.events
    crasher = Crasher(at)
    events.register("before-send", crasher)
    try:
        with pytest.raises(Crash):
            yield
    finally:
        events.unregister("before-send", crasher)


COMMANDS: dict[str, Callable[[Shop, dict[str, Any]], Answer]] = {
    "create": lambda shop, _: shop.post("/users", new_user(email="new@example.com", role="staff"), key="k"),
    "change": lambda shop, user: shop.patch(f"/users/{user['id']}", {"role": "staff"}, "*"),
    "delete": lambda shop, user: shop.call("DELETE", f"/users/{user['id']}"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_crash_between_any_two_calls_is_made_good_by_the_same_command(shop: Shop, name: str) -> None:

    at = 1
    while True:
        here = Shop(shop.send)
        user = here.post("/users", new_user(email="old@example.com")).json
        crasher = Crasher(at)
        buses: list[Any] = [dynamodb().meta.events, cognito().meta.events]
        for bus in buses:
            bus.register("before-send", crasher)
        try:
            COMMANDS[name](here, user)
        except Crash:
            pass
        finally:
            for bus in buses:
                bus.unregister("before-send", crasher)
        done = COMMANDS[name](here, user)
        assert done.status in {200, 201, 204}, (at, done.body)
        people = {each["email"]: each for each in here.walk(10, "/users?")}
        for email in ("old@example.com", "new@example.com"):
            in_pool, known = pool_user(here.tenant, email), people.get(email)
            assert (in_pool is None) == (known is None), (at, email)
            if in_pool and known:
                assert (in_pool["sub"], in_pool["groups"]) == (known["id"], [known["role"]]), (at, email)
        assert len(people) == {"create": 2, "change": 1, "delete": 0}[name]
        if crasher.calls < at:
            break
        at += 1
    assert at > 3


def test_a_pool_out_of_reach_is_told(shop: Shop) -> None:
    events: Any = cognito().meta.events

    def refuse(**_: Any) -> None:
        from botocore.exceptions import EndpointConnectionError

        raise EndpointConnectionError(endpoint_url="https://cognito")

    events.register("before-send", refuse)
    try:
        assert shop.post("/users", new_user(), key="k").code == "UNAVAILABLE"
    finally:
        events.unregister("before-send", refuse)
    assert shop.post("/users", new_user(), key="k2").status == 201
    with injected("throttled", at=0, times=50):
        assert shop.post("/users", new_user()).code == "UNAVAILABLE"
