"""Tenants, users and roles: who may call, on whose behalf, and what two systems do when one of them fails."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.access import Role
from domain.errors import Forbidden, Unavailable
from infra.local.invocation import invoke
from repositories.clients import cognito
from repositories.directory import username
from repositories.settings import settings
from tests.faults import injected
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
    assert shop.post("/users", new_user(email="first@example.com"), key="k").body == first.body
    assert pool_user(shop.tenant, "first@example.com") is None


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
    from repositories.clients import dynamodb

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
