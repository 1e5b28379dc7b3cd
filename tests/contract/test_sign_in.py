"""Applications sign in to the local user pool with the libraries that they use in AWS."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from pycognito import Cognito
from pycognito.aws_srp import AWSSRP
from pycognito.exceptions import ForceChangePasswordException

from cli.commands.running import running
from tests.conftest import Server
from tests.contract.node import HERE, run
from tests.people import new_tenant
from tests.shop import race

PASSWORD = "Their-own-pass-1"

type Page = Callable[..., str]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sign-in")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Server]:
    server = Server(data)
    yield server
    server.stop()


@pytest.fixture
def page(server: Server, work: Path) -> Page:
    """A shop's page in a browser, with amazon-cognito-identity-js."""
    shutil.copy(HERE / "clients" / "sign_in.cjs", work)
    pool = running(server.data)["user_pool"]
    known = {"POOL": pool["pool"], "CLIENT": pool["client"], "COGNITO": pool["endpoint"]}
    return lambda *arguments: run(work, "node", "sign_in.cjs", *arguments, **known).strip()


def cognito(server: Server) -> Any:
    """A client of the user pool without credentials, as applications have it."""
    unsigned = Config(signature_version=UNSIGNED)
    endpoint = running(server.data)["user_pool"]["endpoint"]
    return boto3.client("cognito-idp", region_name="eu-west-1", endpoint_url=endpoint, config=unsigned)


def invited(server: Server, **settings: Any) -> tuple[str, str, str]:
    """Make a tenant; return its id, and the name of its owner and the temporary password."""
    tenant = server.operator.call("POST", "/tenants", new_tenant(settings=settings)).json["id"]
    name = f"{tenant}/owner@example.com"
    found = re.search(rf"\({name}\): the temporary password is (\S+)", server.log)
    assert found, server.log
    return tenant, name, found[1]


def me(server: Server, tenant: str, token: str) -> dict[str, Any]:
    shown: dict[str, Any] = server.shop(tenant).call("GET", "/users/me", token=token).json
    return shown


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning:pycognito")
def test_an_invited_owner_signs_in_by_srp_with_pycognito(server: Server) -> None:
    tenant, name, temporary = invited(server)
    pool, client = running(server.data)["user_pool"], cognito(server)
    known = {"pool_id": pool["pool"], "client_id": pool["client"], "client": client}
    srp = AWSSRP(username=name.upper(), password=temporary, **known)
    with pytest.raises(ForceChangePasswordException):
        srp.authenticate_user()
    result = srp.set_new_password_challenge(PASSWORD)["AuthenticationResult"]
    assert me(server, tenant, result["IdToken"])["role"] == "owner"
    assert server.shop(tenant).call("GET", "/users/me", token=result["AccessToken"]).status == 401
    with pytest.raises(client.exceptions.NotAuthorizedException):
        AWSSRP(username=name, password="Wrong-password-1", **known).authenticate_user()
    keys = httpx.get(f"{pool['endpoint']}/{pool['pool']}/.well-known/jwks.json").json()
    user = Cognito(pool["pool"], pool["client"], user_pool_region="eu-west-1", username=name, boto3_client_kwargs={})
    user.client, user.pool_jwk = client, keys
    user.authenticate(PASSWORD)
    user.renew_access_token()
    assert me(server, tenant, user.id_token)["email"] == "owner@example.com"
    user.change_password(PASSWORD, PASSWORD + "x")
    refresh = {"REFRESH_TOKEN": user.refresh_token}
    user.logout()
    with pytest.raises(client.exceptions.NotAuthorizedException):
        client.initiate_auth(ClientId=pool["client"], AuthFlow="REFRESH_TOKEN_AUTH", AuthParameters=refresh)


def test_an_owner_signs_in_on_a_page(server: Server, page: Page) -> None:
    tenant, name, temporary = invited(server)
    first = page("sign_in", name, temporary, PASSWORD)
    assert me(server, tenant, first)["role"] == "owner"
    assert me(server, tenant, page("sign_in", name.upper(), PASSWORD))["role"] == "owner"
    wrong = "NotAuthorizedException: Incorrect username or password."
    assert page("sign_in", name, PASSWORD + "x") == wrong
    assert page("sign_in", f"{tenant}/nobody@example.com", PASSWORD) == wrong


def test_a_customer_signs_up_on_a_page(server: Server, page: Page) -> None:
    closed, _, _ = invited(server)
    assert page("sign_up", f"{closed}/eve@example.com", PASSWORD).startswith("UserLambdaValidationException: PreSignUp")
    tenant, _, _ = invited(server, allow_sign_up=True)
    name = f"{tenant}/carla@example.com"
    assert page("sign_up", name, "short").startswith("InvalidPasswordException")
    subject = page("sign_up", name, PASSWORD)
    assert page("sign_in", name, PASSWORD).startswith("UserNotConfirmedException")
    found = re.search(rf"Code for carla@example.com \({name}\): ([0-9]{{6}})", server.log)
    assert found, server.log
    wrong = f"{(int(found[1]) + 1) % 10**6:06}"
    assert page("confirm", name, "", wrong).startswith("CodeMismatchException")
    assert page("confirm", name, "", found[1]) == "SUCCESS"
    customer = me(server, tenant, page("sign_in", name, PASSWORD))
    assert (customer["id"], customer["role"], customer["email"]) == (subject, "customer", "carla@example.com")
    client = cognito(server)
    client.forgot_password(ClientId=running(server.data)["user_pool"]["client"], Username=name)
    code = re.findall(rf"\({name}\): ([0-9]{{6}})", server.log)[-1]
    another = {"Username": name, "ConfirmationCode": code, "Password": PASSWORD + "x"}
    client.confirm_forgot_password(ClientId=running(server.data)["user_pool"]["client"], **another)
    assert me(server, tenant, page("sign_in", name, PASSWORD + "x"))["id"] == subject


def test_a_user_who_is_deleted_cannot_sign_in(server: Server, page: Page) -> None:
    tenant, _, _ = invited(server)
    shop = server.shop(tenant)
    user = shop.post("/users", {"email": "sam@example.com", "name": "Sam", "role": "staff"}).json
    temporary = re.findall(rf"{tenant}/sam@example.com\): the temporary password is (\S+)", server.log)[-1]
    token = page("sign_in", f"{tenant}/sam@example.com", temporary, PASSWORD)
    assert me(server, tenant, token)["id"] == user["id"]
    assert shop.delete(f"/users/{user['id']}", "*").status == 204
    assert page("sign_in", f"{tenant}/sam@example.com", PASSWORD).startswith("NotAuthorizedException")


def test_passwords_survive_a_restart_and_are_not_stored(tmp_path: Path) -> None:
    server, data = Server(tmp_path), tmp_path
    tenant, name, temporary = invited(server)
    pool = running(data)["user_pool"]
    client = cognito(server)
    asked = {"ClientId": pool["client"], "AuthFlow": "USER_PASSWORD_AUTH"}
    first = client.initiate_auth(**asked, AuthParameters={"USERNAME": name, "PASSWORD": temporary})
    answers = {"USERNAME": name, "NEW_PASSWORD": PASSWORD}
    signed_in = client.respond_to_auth_challenge(
        ClientId=pool["client"],
        ChallengeName=first["ChallengeName"],
        Session=first["Session"],
        ChallengeResponses=answers,
    )["AuthenticationResult"]
    stored = data / "user-pool.json"
    assert PASSWORD not in stored.read_text()
    assert stored.stat().st_mode & 0o777 == 0o600
    server.stop()
    again = Server(data)
    try:
        client = cognito(again)
        token = client.initiate_auth(**asked, AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD})
        assert me(again, tenant, token["AuthenticationResult"]["IdToken"])["role"] == "owner"
        flow = {"ClientId": pool["client"], "AuthFlow": "REFRESH_TOKEN_AUTH"}
        fresh = client.initiate_auth(**flow, AuthParameters={"REFRESH_TOKEN": signed_in["RefreshToken"]})
        assert me(again, tenant, fresh["AuthenticationResult"]["IdToken"])["role"] == "owner"
    finally:
        again.stop()


def test_applications_cannot_call_what_administrators_call(tmp_path: Path) -> None:
    server = Server(tmp_path, "--memory")
    try:
        endpoint = running(tmp_path)["user_pool"]["endpoint"]
        for operation in ("AdminGetUser", "AdminSetUserPassword", "LocalSignInAs", "Nonsense"):
            target = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}"}
            assert httpx.post(endpoint, headers=target, json={}).json()["__type"] == "InvalidAction"
        target = {"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth"}
        assert httpx.post(endpoint, headers=target, content=b"{").json()["__type"] == "SerializationException"
        other = httpx.post(endpoint, headers=target, json={"ClientId": "another"})
        assert (other.status_code, other.json()["__type"]) == (400, "ResourceNotFoundException")
        asked = {"Origin": "https://shop.example", "Access-Control-Request-Headers": "x-amz-target"}
        assert httpx.options(endpoint, headers=asked).headers["access-control-allow-origin"] == "*"
    finally:
        server.stop()


NONSENSE: list[Any] = [
    1,
    ["a"],
    "x",
    True,
    None,
    "\ud800",
    "\u00e9",
    {"USERNAME": 1},
    [{"Name": "name", "Value": 1}],
    [1],
]


def test_nonsense_gets_an_answer_and_never_a_traceback(server: Server) -> None:
    _, name, _ = invited(server)
    parts = running(server.data)["user_pool"]
    srp = {"USERNAME": name, "SRP_A": "5"}
    proof = {"USERNAME": name, "PASSWORD_CLAIM_SIGNATURE": "x", "TIMESTAMP": "x", "PASSWORD_CLAIM_SECRET_BLOCK": "eA=="}
    requests: list[tuple[str, str, dict[str, Any]]] = []
    for value in NONSENSE:
        requests += [
            ("InitiateAuth", "AuthParameters", {"AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": value}),
            ("InitiateAuth", "SRP_A", {"AuthFlow": "USER_SRP_AUTH", "AuthParameters": srp | {"SRP_A": value}}),
            ("SignUp", "UserAttributes", {"Username": name, "Password": PASSWORD, "UserAttributes": value}),
            ("SignUp", "Username", {"Username": value, "Password": PASSWORD}),
            ("ConfirmSignUp", "code", {"Username": name, "ConfirmationCode": value}),
            ("GetUser", "AccessToken", {"AccessToken": value}),
            ("AdminCreateUser", "TemporaryPassword", {"Username": "t/a@example.com", "TemporaryPassword": value}),
        ]
        requests += [
            (
                "RespondToAuthChallenge",
                each,
                {"ChallengeName": "PASSWORD_VERIFIER", "ChallengeResponses": proof | {each: value}},
            )
            for each in proof
        ]
    for endpoint in (parts["endpoint"], parts["administration"]):
        for operation, where, body in requests:
            target = {"X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}"}
            answer = httpx.post(endpoint, headers=target, content=json.dumps(body), timeout=60)
            told = (operation, where, body, answer.text)
            if where == "TemporaryPassword" and body["TemporaryPassword"] is None:
                continue
            assert (answer.status_code, "__type" in answer.json()) == (400, True), told
        assert httpx.post(endpoint, headers=target, content="[" * 100_000).status_code == 400
    for a in ("0", "00", "-1"):
        with pytest.raises(cognito(server).exceptions.InvalidParameterException):
            cognito(server).initiate_auth(
                ClientId=parts["client"], AuthFlow="USER_SRP_AUTH", AuthParameters=srp | {"SRP_A": a}
            )
    assert "Traceback" not in server.log


def test_a_weak_password_does_not_use_up_the_code_and_nobody_is_revealed(server: Server) -> None:
    tenant, _, _ = invited(server, allow_sign_up=True)
    client, app = cognito(server), running(server.data)["user_pool"]["client"]
    name, errors = f"{tenant}/ida@example.com", client.exceptions
    who = {"ClientId": app, "Username": name}
    attributes = [{"Name": "email", "Value": "ida@example.com"}]
    client.sign_up(**who, Password=PASSWORD, UserAttributes=attributes, ClientMetadata={"tenant_id": tenant})
    with pytest.raises(errors.InvalidParameterException):
        client.forgot_password(**who)  # the address is not confirmed
    code = re.findall(rf"\({name}\): ([0-9]{{6}})", server.log)[-1]
    client.confirm_sign_up(**who, ConfirmationCode=code)
    with pytest.raises(errors.InvalidParameterException):
        client.resend_confirmation_code(**who)
    client.forgot_password(**who)
    code = re.findall(rf"\({name}\): ([0-9]{{6}})", server.log)[-1]
    with pytest.raises(errors.InvalidPasswordException):
        client.confirm_forgot_password(**who, ConfirmationCode=code, Password="weak")
    client.confirm_forgot_password(**who, ConfirmationCode=code, Password=PASSWORD + "x")
    with pytest.raises(errors.CodeMismatchException):
        client.confirm_forgot_password(**who, ConfirmationCode=code, Password=PASSWORD)
    stranger = {"ClientId": app, "Username": f"{tenant}/stranger@example.com"}
    assert client.forgot_password(**stranger)["CodeDeliveryDetails"]["DeliveryMedium"] == "EMAIL"
    with pytest.raises(errors.CodeMismatchException):
        client.confirm_forgot_password(**stranger, ConfirmationCode="123456", Password=PASSWORD)
    _, owner, _ = invited(server)
    with pytest.raises(errors.NotAuthorizedException):
        client.forgot_password(ClientId=app, Username=owner)


def test_one_of_many_answers_to_a_challenge_sets_the_password(server: Server) -> None:
    _, name, temporary = invited(server)
    client, app = cognito(server), running(server.data)["user_pool"]["client"]
    asked = {"USERNAME": name, "PASSWORD": temporary}
    first = client.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=asked)

    def answer(n: int) -> bool:
        answers = {"USERNAME": name, "NEW_PASSWORD": f"{PASSWORD}{n}"}
        challenge = {"ChallengeName": first["ChallengeName"], "Session": first["Session"]}
        try:
            client.respond_to_auth_challenge(ClientId=app, **challenge, ChallengeResponses=answers)
        except client.exceptions.NotAuthorizedException:
            return False
        return True

    done = race(6, answer)
    assert done.count(True) == 1
    password = {"USERNAME": name, "PASSWORD": f"{PASSWORD}{done.index(True)}"}
    assert client.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=password)
