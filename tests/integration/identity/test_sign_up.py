"""Customers who sign up."""

from typing import Any
from unittest.mock import Mock, call
from uuid import uuid4

import pytest
from pydantic import ValidationError

from domain.common.environment import Environment
from domain.common.errors import Contention, Forbidden, Unavailable
from domain.identity.permissions import Role
from domain.identity.users import NewUser
from handlers.http.telemetry import logger
from handlers.invocations.trigger import TRIGGER_FAILED
from local.invocation import invoke
from repositories.aws.clients import cognito
from repositories.aws.settings import settings
from repositories.identity.user_pool import username
from tests.faults import before_call, injected
from tests.integration.identity.common import pool_user, sign_in_event, sign_up
from tests.people import new_user
from tests.shop import Shop


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


def test_a_sign_up_that_is_completed_after_its_name_was_taken_away_makes_no_profile(open_shop: Shop) -> None:
    """This holds even if the address is free again by then."""
    subject = sign_up(open_shop.tenant, "slow@example.com")
    invited = open_shop.post("/users", new_user(email="slow@example.com")).json
    assert open_shop.call("DELETE", f"/users/{invited['id']}").status == 204
    with pytest.raises(Forbidden):
        invoke("PostConfirmation", sign_in_event(open_shop.tenant, "slow@example.com", subject))
    assert open_shop.get(f"/users/{subject}").code == "NOT_FOUND"
    assert open_shop.get("/users?email=slow@example.com").json["items"] == []


def test_a_sign_up_that_is_confirmed_while_staff_invites_is_not_locked_out(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first to commit gets the address; no profile is left without a username in the pool."""
    monkeypatch.setattr(Environment, "sleep", lambda *_: None)  # the confirmation cannot win by waiting
    at = 0
    while True:
        email = f"walk-in-{at}@example.com"
        subject = sign_up(open_shop.tenant, email)
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


def test_a_failure_of_a_trigger_is_logged_as_one_and_a_refusal_is_not(
    open_shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A metric filter counts the lines."""
    event = sign_in_event(open_shop.tenant, "jane@example.com", str(uuid4()))
    failures = Mock()
    monkeypatch.setattr(logger(), "exception", failures)
    with pytest.raises(Forbidden):
        invoke("PreTokenGeneration", event)
    assert failures.call_args_list == []
    monkeypatch.setattr("handlers.triggers.pre_token_generation.find_profile", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        invoke("PreTokenGeneration", event)
    assert failures.call_args_list == [call(TRIGGER_FAILED, extra={"source": "preTokenGeneration"})]
