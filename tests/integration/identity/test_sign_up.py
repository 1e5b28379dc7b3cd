"""Customers who sign up, and names that the pool and the table know differently."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from domain.common.environment import now
from domain.common.errors import Contention, Forbidden, Unavailable
from domain.identity.permissions import Role
from domain.identity.users import NewUser
from local.invocation import invoke
from repositories.aws.clients import cognito, dynamodb
from repositories.aws.settings import settings
from repositories.identity.user_pool import username
from tests.faults import before_call, injected
from tests.integration.identity.common import pool_user, sign_in_event
from tests.people import Operator, new_tenant, new_user
from tests.shop import Answer, Shop


@pytest.fixture
def open_shop(operator: Operator, shop: Shop) -> Shop:
    """A tenant that takes sign-ups."""
    tenant = operator.call("POST", "/tenants", new_tenant(settings={"allow_sign_up": True})).json
    return Shop(shop.send, tenant=tenant["id"])


def test_a_customer_signs_up_once_where_that_is_allowed(open_shop: Shop, shop: Shop) -> None:
    subject = "11111111-2222-4333-8444-555555555555"
    named = {"clientMetadata": {"tenant_id": open_shop.tenant}}
    asked = sign_in_event(open_shop.tenant, "new@example.com", subject, **named)
    assert invoke("PreSignUp", asked | {"triggerSource": "PreSignUp_SignUp"})
    for _ in range(2):
        invoke("PostConfirmation", asked)
    profile = open_shop.get(f"/users/{subject}").json
    assert (profile["role"], profile["email"], profile["version"]) == ("customer", "new@example.com", 1)
    assert len(open_shop.walk(10, "/users?")) == 2
    for tenant, email, request in (
        (shop.tenant, "a@example.com", {"clientMetadata": {"tenant_id": shop.tenant}}),
        (open_shop.tenant, "a@example.com", {"clientMetadata": {"tenant_id": shop.tenant}}),
        (open_shop.tenant, "a@example.com", {}),
        (open_shop.tenant, "NEW@example.com", named),
    ):
        event = sign_in_event(tenant, email, "99999999-2222-4333-8444-555555555555", **request)
        with pytest.raises(Forbidden):
            invoke("PreSignUp", event | {"triggerSource": "PreSignUp_SignUp"})
        assert invoke("PreSignUp", event | {"triggerSource": "PreSignUp_AdminCreateUser"})
    for tenant, email in ((shop.tenant, "a@example.com"), (open_shop.tenant, "owner@example.com")):
        with pytest.raises(Forbidden):
            invoke("PostConfirmation", sign_in_event(tenant, email, "99999999-2222-4333-8444-555555555555"))
    assert len(open_shop.walk(10, "/users?")) == 2


def test_a_sign_up_confirmed_during_an_outage_is_made_good_at_the_first_token(open_shop: Shop, shop: Shop) -> None:
    event = sign_in_event(open_shop.tenant, "late@example.com", "22222222-2222-4333-8444-555555555555")
    with injected("throttled", at=0, times=50), pytest.raises(Unavailable):
        invoke("PostConfirmation", event)
    with pytest.raises(Forbidden):
        invoke("PreTokenGeneration", event)
    event["request"]["userAttributes"] |= {"cognito:user_status": "CONFIRMED", "email_verified": "true"}
    claims = invoke("PreTokenGeneration", event)["response"]["claimsOverrideDetails"]
    assert claims["groupOverrideDetails"]["groupsToOverride"] == ["customer"]
    for strange in (event | {"userName": f"{shop.tenant}/late@example.com"}, _invited(event, open_shop.tenant)):
        strange["request"]["userAttributes"]["sub"] = "33333333-2222-4333-8444-555555555555"
        with pytest.raises(Forbidden):
            invoke("PreTokenGeneration", strange)


def _invited(event: dict[str, Any], tenant: str) -> dict[str, Any]:
    attributes = event["request"]["userAttributes"] | {"custom:tenant_id": tenant}
    return event | {"request": {"userAttributes": attributes}}


def test_an_invitation_goes_on_with_its_own_claim(open_shop: Shop) -> None:
    """The pool failed after the name was taken away; the same request, sent again, need not wait for the claim."""
    _sign_up(open_shop.tenant, "again@example.com")
    asked = new_user(email="again@example.com")
    crasher = Crasher(4)  # create, get, delete, create
    events: Any = cognito().meta.events
    events.register("before-send", crasher)
    try:
        with pytest.raises(Crash):
            open_shop.post("/users", asked, key="k")
    finally:
        events.unregister("before-send", crasher)
    assert open_shop.post("/users", asked, key="k").status == 201


def test_an_erased_profile_stays_when_its_name_is_taken_away(open_shop: Shop) -> None:
    """The pool still knew the name of somebody who had signed up, as their erasure died before its turn."""
    subject = _sign_up(open_shop.tenant, "ex@example.com")
    invoke("PostConfirmation", sign_in_event(open_shop.tenant, "ex@example.com", subject))
    crasher = Crasher(1)
    events: Any = cognito().meta.events
    events.register("before-send", crasher)
    try:
        with pytest.raises(Crash):
            open_shop.call("DELETE", f"/users/{subject}")
    finally:
        events.unregister("before-send", crasher)
    invited = open_shop.post("/users", new_user(email="ex@example.com"))
    assert (invited.status, invited.json["id"] == subject) == (201, False)
    assert open_shop.get(f"/users/{subject}").json["status"] == "deleted"


def test_a_sign_up_that_is_completed_after_its_name_was_taken_away_makes_no_profile(open_shop: Shop) -> None:
    """Though the address is free again by then."""
    subject = _sign_up(open_shop.tenant, "slow@example.com")
    invited = open_shop.post("/users", new_user(email="slow@example.com")).json
    assert open_shop.call("DELETE", f"/users/{invited['id']}").status == 204
    with pytest.raises(Forbidden):
        invoke("PostConfirmation", sign_in_event(open_shop.tenant, "slow@example.com", subject))
    assert open_shop.get(f"/users/{subject}").code == "NOT_FOUND"
    assert open_shop.get("/users?email=slow@example.com").json["items"] == []


def test_a_subject_that_was_erased_is_not_adopted(shop: Shop) -> None:
    """The function that erased the user died before the pool's turn."""
    user = shop.post("/users", new_user(email="left@example.com")).json
    crasher = Crasher(1)
    events: Any = cognito().meta.events
    events.register("before-send", crasher)
    try:
        with pytest.raises(Crash):
            shop.call("DELETE", f"/users/{user['id']}")
    finally:
        events.unregister("before-send", crasher)
    left_over = pool_user(shop.tenant, "left@example.com")
    assert left_over
    assert left_over["sub"] == user["id"]
    anew = shop.post("/users", new_user(email="left@example.com"))
    in_pool = pool_user(shop.tenant, "left@example.com")
    assert in_pool
    assert anew.json["id"] == in_pool["sub"] != user["id"]


def _sign_up(tenant: str, email: str) -> str:
    """Let somebody sign up and confirm the address; return the subject."""
    name, pool = username(tenant, email), settings().user_pool_id
    cognito().admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    cognito().admin_set_user_password(UserPoolId=pool, Username=name, Password="Their-own-1", Permanent=True)
    signed_up = pool_user(tenant, email)
    assert signed_up
    return str(signed_up["sub"])


def test_a_sign_up_that_is_confirmed_while_staff_invites_is_not_locked_out(open_shop: Shop) -> None:
    """Whichever comes first has the address; nobody has a profile and no name in the pool."""
    at = 0
    while True:
        email = f"walk-in-{at}@example.com"
        subject = _sign_up(open_shop.tenant, email)
        confirmed: list[bool] = []

        def confirm(email: str = email, subject: str = subject, confirmed: list[bool] = confirmed) -> None:
            try:
                invoke("PostConfirmation", sign_in_event(open_shop.tenant, email, subject))
                confirmed.append(True)
            except (Forbidden, Contention):
                confirmed.append(False)

        with before_call(at, confirm) as calls:
            answer = open_shop.post("/users", new_user(email=email))
        if not confirmed:
            break
        [known] = open_shop.get(f"/users?email={email}").json["items"]
        in_pool = pool_user(open_shop.tenant, email)
        assert in_pool, (at, calls)
        assert in_pool["sub"] == known["id"], (at, calls)
        assert (answer.status, known["id"] == subject) in {(201, False), (409, True)}, (at, calls, answer.body)
        assert confirmed == [known["id"] == subject], (at, calls)
        at += 1
    assert at > 4


def test_a_claim_on_an_address_lapses(open_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an invitation that died after it; until then, another is told to try again."""
    subject = _sign_up(open_shop.tenant, "claimed@example.com")
    crasher = Crasher(3)  # create, get, delete
    events: Any = cognito().meta.events
    events.register("before-send", crasher)
    try:
        with pytest.raises(Crash):
            open_shop.post("/users", new_user(email="claimed@example.com"))
    finally:
        events.unregister("before-send", crasher)
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


def test_a_trigger_that_fails_does_not_say_who_signs_up() -> None:
    with pytest.raises(ValidationError) as invalid:
        NewUser(email="jane@example.com", name="\x07", role=Role.CUSTOMER)
    assert "jane@example.com" not in str(invalid.value)
    assert "input_value" not in str(invalid.value)


def test_whoever_signed_up_with_an_address_does_not_become_its_invited_owner(shop: Shop) -> None:
    name, pool = username(shop.tenant, "boss@example.com"), settings().user_pool_id
    client = cognito()
    client.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
    client.admin_set_user_password(UserPoolId=pool, Username=name, Password="Attackers-own-1", Permanent=True)
    attacker = client.admin_get_user(UserPoolId=pool, Username=name)["UserAttributes"]
    boss = shop.post("/users", new_user(email="boss@example.com", role="owner")).json
    assert boss["id"] not in {each["Value"] for each in attacker}
    assert client.admin_get_user(UserPoolId=pool, Username=name)["UserStatus"] == "FORCE_CHANGE_PASSWORD"


class Crash(BaseException):
    """The function's end, at a given call to AWS."""


class Crasher:
    """Ends the function before its call number `at`, of any service."""

    def __init__(self, at: int) -> None:
        self.at, self.calls = at, 0

    def __call__(self, **_: Any) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise Crash


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
