"""Applications sign in to the local user pool with the libraries that they use in AWS."""

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


def test_passwords_survive_a_restart_and_are_not_stored(server: Server, data: Path) -> None:
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
