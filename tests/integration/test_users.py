"""Tenants, users and roles: who may call, on whose behalf, and what two systems do when one of them fails."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
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
from repositories.dynamodb import keys
from repositories.dynamodb.codec import encode
from repositories.identity.user_pool import username
from tests.faults import before_call, injected, interleaved
from tests.people import Operator, as_user, new_tenant, new_user
from tests.shop import Answer, Shop, new_item


def pool_user(tenant: str, email: str) -> dict[str, Any] | None:
    """A user as the pool has them, with their groups."""
    client, pool, name = cognito(), settings().user_pool_id, username(tenant, email)
    try:
        user: Any = client.admin_get_user(UserPoolId=pool, Username=name)
    except client.exceptions.UserNotFoundException:
        return None
    groups = client.admin_list_groups_for_user(UserPoolId=pool, Username=name)["Groups"]
    attributes = {each["Name"]: each["Value"] for each in user["UserAttributes"]}
    return attributes | {"groups": [group["GroupName"] for group in groups]}


def sign_in_event(tenant: str, email: str, subject: str, **request: Any) -> dict[str, Any]:
    return {
        "triggerSource": "PostConfirmation_ConfirmSignUp",
        "userName": f"{tenant}/{email}",
        "request": {"userAttributes": {"sub": subject, "email": email}, **request},
        "response": {},
    }


def claims_for(tenant: str, email: str, subject: str) -> dict[str, Any]:
    answer = invoke("PreTokenGeneration", sign_in_event(tenant, email, subject))
    claims: dict[str, Any] = answer["response"]["claimsOverrideDetails"]
    return claims


def test_an_operator_makes_a_tenant_with_its_owner(operator: Operator, shop: Shop) -> None:
    asked = new_tenant(currencies=["EUR"], settings={"hold_minutes": 30})
    created = operator.call("POST", "/tenants", asked, Idempotency_Key="k")
    assert created.status == 201, created.body
    assert created.headers["location"] == f"/v1/tenants/{asked['id']}"
    assert created.json["settings"] == {"hold_minutes": 30, "allow_sign_up": False, "features": {}}
    again = operator.call("POST", "/tenants", asked, Idempotency_Key="k")
    assert (again.body, again.headers["idempotent-replayed"]) == (created.body, "true")
    assert operator.call("POST", "/tenants", asked).code == "INVALID_STATE"
    assert operator.call("GET", f"/tenants/{asked['id']}").json == created.json
    in_pool = pool_user(asked["id"], "owner@example.com")
    assert in_pool
    assert (in_pool["groups"], in_pool["custom:tenant_id"]) == (["owner"], asked["id"])
    owner = Shop(shop.send, tenant=asked["id"], user=in_pool["sub"])
    assert owner.get("/users/me").json["email"] == "owner@example.com"
    assert claims_for(asked["id"], "owner@example.com", owner.user) == {
        "claimsToAddOrOverride": {"custom:tenant_id": asked["id"]},
        "groupOverrideDetails": {"groupsToOverride": ["owner"], "iamRolesToOverride": []},
    }


def test_a_tenant_is_changed_by_version(operator: Operator) -> None:
    tenant = operator.call("POST", "/tenants", new_tenant()).json
    path = f"/tenants/{tenant['id']}"
    patch = {"name": "Acme Two", "settings": {"features": {"gift_cards": True}}}
    changed = operator.call("PATCH", path, patch, If_Match='"1"')
    assert (changed.status, changed.json["name"], changed.etag) == (200, "Acme Two", '"2"')
    assert changed.json["settings"]["features"] == {"gift_cards": True}
    assert operator.call("PATCH", path, {"name": "X"}, If_Match='"1"').code == "PRECONDITION_FAILED"
    gone = operator.call("PATCH", path, {"settings": {"features": {"gift_cards": None}}}, If_Match='"2"')
    assert gone.json["settings"]["features"] == {}
    assert operator.call("GET", "/tenants/nobody-has-this").code == "NOT_FOUND"
    assert operator.call("GET", "/tenants/Not%23One").code == "NOT_FOUND"


@pytest.mark.parametrize("tenant_id", ["a#b", "ACME", "x" * 41, "ab", "", "ü-shop", None, 7])
def test_a_bad_tenant_id_is_refused(operator: Operator, tenant_id: Any) -> None:
    answer = operator.call("POST", "/tenants", new_tenant(id=tenant_id))
    assert (answer.status, answer.pointers) == (400, ["/id"])
    assert answer.writes == 0


def test_only_a_signature_of_this_very_request_opens_the_tenants(operator: Operator, shop: Shop) -> None:
    raw = b""
    good = operator.signed("GET", "/v1/tenants/acme", raw, {})
    assert operator.send("GET", "/v1/tenants/acme", good, raw).status == 404
    bad: list[tuple[str, str, dict[str, str], bytes]] = [
        ("GET", "/v1/tenants/other", good, raw),
        ("PATCH", "/v1/tenants/acme", good, raw),
        ("GET", "/v1/tenants/acme", good, b"{}"),
        ("GET", "/v1/tenants/acme?x=1", good, raw),
        ("GET", "/v1/tenants/acme", {}, raw),
        ("GET", "/v1/tenants/acme", {"Authorization": f"Bearer {shop.token()}"}, raw),
        ("GET", "/v1/tenants/acme", good | {"X-Amz-Date": "20200101T000000Z"}, raw),
        ("GET", "/v1/tenants/acme", good | {"Authorization": good["Authorization"][:-1] + "x"}, raw),
    ]
    for method, target, headers, body in bad:
        answer = operator.send(method, target, headers, body)
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED"), (method, target)


def test_a_tenant_trades_in_its_currencies(operator: Operator, shop: Shop) -> None:
    tenant = operator.call("POST", "/tenants", new_tenant(currencies=["GBP"])).json
    owner = Shop(shop.send, tenant=tenant["id"])
    refused = owner.post("/items", new_item())
    assert (refused.status, refused.pointers) == (400, ["/price/currency"])
    in_pounds = {"amount": "1.00", "currency": "GBP"}
    item = owner.add(price=in_pounds)
    assert owner.patch(f"/items/{item['id']}", {"price": {"currency": "EUR"}}, "*").pointers == ["/price/currency"]
    rows = owner.post("/items/batch", {"items": [new_item(), new_item(price=in_pounds)]}).json["results"]
    assert [row["status"] for row in rows] == [400, 201]


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


def test_making_a_tenant_again_does_no_harm_to_its_owner(operator: Operator, shop: Shop) -> None:
    asked = new_tenant()
    operator.call("POST", "/tenants", asked, Idempotency_Key="k")
    before = pool_user(asked["id"], "owner@example.com")
    cognito().admin_set_user_password(
        UserPoolId=settings().user_pool_id,
        Username=username(asked["id"], "owner@example.com"),
        Password="Owners-own-1",
        Permanent=True,
    )
    assert operator.call("POST", "/tenants", asked, Idempotency_Key="k").status == 201
    assert operator.call("POST", "/tenants", asked).code == "INVALID_STATE"
    stranger = asked | {"owner": {"email": "stranger@example.com", "name": "S"}}
    assert operator.call("POST", "/tenants", stranger).code == "INVALID_STATE"
    assert operator.call("POST", "/tenants", stranger, Idempotency_Key="k").code == "IDEMPOTENCY_KEY_REUSED"
    assert pool_user(asked["id"], "owner@example.com") == before
    assert pool_user(asked["id"], "stranger@example.com") is None


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
    monkeypatch.setattr("handlers.http.route.now", lambda: real() + timedelta(hours=26))
    second = shop.post("/users", new_user(email="second@example.com"), key="k")
    assert second.status == 201
    assert shop.call("DELETE", f"/users/{first['id']}").status == 204
    again = shop.post("/users", new_user(email="second@example.com"), key="k")
    assert again.body == second.body


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


def _people(shop: Shop) -> tuple[Shop, Shop]:
    """Two owners of a shop, who are its users."""
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
    """It stalls before each of its calls in turn; meanwhile the user is erased, and the address invited again."""
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
    """Two invitations get one subject from the pool; the first is erased before the second is committed."""
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
    monkeypatch.setattr("repositories.dynamodb.session.pause_before", lambda _: 0.0)
    assert open_shop.post("/users", new_user(email="claimed@example.com")).code == "CONTENTION"
    assert open_shop.get("/users?email=claimed@example.com").json["items"] == []
    later = now() + timedelta(seconds=90)
    monkeypatch.setattr("handlers.http.route.now", lambda: later)
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


def test_a_search_by_address_shows_nobody_who_was_erased_meanwhile(shop: Shop, rival: Shop) -> None:
    user = shop.post("/users", new_user(email="jane@example.com")).json
    with interleaved(lambda: rival.call("DELETE", f"/users/{user['id']}"), before="GetItem", number=2):
        assert shop.get("/users?email=jane@example.com").json["items"] == []


def test_letters_of_another_alphabet_are_not_folded_into_one_address(shop: Shop) -> None:
    assert shop.post("/users", new_user(email="straße@example.com")).status == 201
    assert shop.post("/users", new_user(email="strasse@example.com")).status == 201
    assert shop.post("/users", new_user(email="STRASSE@example.com")).code == "EMAIL_TAKEN"


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
    from repositories.aws.clients import dynamodb

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
