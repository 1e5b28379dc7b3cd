"""Tests of invalid input: the problem document states the error and its place, and no data changes."""

import base64
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from handlers.http.declaration import IAM, SIGNED
from handlers.registry import RouteFunction, functions
from tests.people import Operator
from tests.shop import Answer, Shop, new_item

PROBLEM_FIELDS = {"type", "title", "status", "code", "detail", "instance", "request_id", "errors"}


def is_problem(answer: Answer, status: int, code: str) -> bool:
    problem = answer.json
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) == PROBLEM_FIELDS
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["type"] == f"urn:tradepost:problem:{problem['code'].lower().replace('_', '-')}"
    assert problem["status"] == answer.status
    return (answer.status, problem["code"]) == (status, code)


@pytest.mark.parametrize(
    ("body", "code", "pointers"),
    [
        (b"", "VALIDATION_ERROR", [""]),
        (b"{", "INVALID_JSON", []),
        (b"nonsense", "INVALID_JSON", []),
        (b'{"name": NaN}', "INVALID_JSON", []),
        (b"\xff\xfe", "INVALID_JSON", []),
        (b"[" * 100_000, "INVALID_JSON", []),
        (b'{"name": "\\ud800"}', "INVALID_JSON", []),
        (b"null", "VALIDATION_ERROR", [""]),
        (b'"text"', "VALIDATION_ERROR", [""]),
        ([new_item()], "VALIDATION_ERROR", [""]),
        ({}, "VALIDATION_ERROR", ["/name", "/price"]),
        (new_item(colour="red"), "VALIDATION_ERROR", ["/colour"]),
        (new_item(name=None), "VALIDATION_ERROR", ["/name"]),
        (new_item(name=""), "VALIDATION_ERROR", ["/name"]),
        (new_item(name="  "), "VALIDATION_ERROR", ["/name"]),
        (new_item(name="a\x00b"), "VALIDATION_ERROR", ["/name"]),
        (new_item(name="a\nb"), "VALIDATION_ERROR", ["/name"]),
        (new_item(name="x" * 201), "VALIDATION_ERROR", ["/name"]),
        (new_item(description="a\x07b"), "VALIDATION_ERROR", ["/description"]),
        (new_item(sku=""), "VALIDATION_ERROR", ["/sku"]),
        (new_item(sku=" A"), "VALIDATION_ERROR", ["/sku"]),
        (new_item(sku=7), "VALIDATION_ERROR", ["/sku"]),
        (new_item(stock=-1), "VALIDATION_ERROR", ["/stock"]),
        (new_item(stock=1.5), "VALIDATION_ERROR", ["/stock"]),
        (new_item(stock="1"), "VALIDATION_ERROR", ["/stock"]),
        (new_item(stock=True), "VALIDATION_ERROR", ["/stock"]),
        (new_item(stock=10**400), "VALIDATION_ERROR", ["/stock"]),
        (new_item(price=13), "VALIDATION_ERROR", ["/price"]),
        (new_item(price={"amount": 13, "currency": "EUR"}), "VALIDATION_ERROR", ["/price/amount"]),
        (new_item(price={"amount": "13.999", "currency": "EUR"}), "VALIDATION_ERROR", ["/price/amount"]),
        (new_item(price={"amount": "1.0", "currency": "JPY"}), "VALIDATION_ERROR", ["/price/amount"]),
        (new_item(price={"amount": "-1", "currency": "EUR"}), "VALIDATION_ERROR", ["/price/amount"]),
        (new_item(price={"amount": "1e400", "currency": "EUR"}), "VALIDATION_ERROR", ["/price/amount"]),
        (new_item(price={"amount": "NaN", "currency": "EUR"}), "VALIDATION_ERROR", ["/price/amount"]),
        (new_item(price={"amount": "٣", "currency": "EUR"}), "VALIDATION_ERROR", ["/price/amount"]),
        (new_item(price={"amount": "9" * 40, "currency": "EUR"}), "VALIDATION_ERROR", ["/price/amount"]),
        (new_item(price={"amount": "1", "currency": "eur"}), "VALIDATION_ERROR", ["/price/currency"]),
        (new_item(price={"amount": "1", "currency": "XAU"}), "VALIDATION_ERROR", ["/price/currency"]),
        (new_item(price={"amount": "1", "currency": ["EUR"]}), "VALIDATION_ERROR", ["/price/currency"]),
        (new_item(attributes=[1]), "VALIDATION_ERROR", ["/attributes"]),
        (new_item(attributes={"a": "x" * 17_000}), "VALIDATION_ERROR", ["/attributes"]),
        (
            b'{"name":"a","price":{"amount":"1","currency":"EUR"},"attributes":{"a":1e400}}',
            "VALIDATION_ERROR",
            ["/attributes"],
        ),
    ],
)
def test_a_bad_item_is_refused(shop: Shop, body: Any, code: str, pointers: list[str]) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = shop.call("POST", "/items", raw)
    assert is_problem(answer, 400, code)
    assert answer.pointers == pointers
    assert answer.headers["x-capacity-write"] == "0"
    assert shop.walk(10) == []


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"price": {"amount": "1.001"}}, "/price/amount"),
        ({"price": {"currency": "JPY"}}, "/price/amount"),
        ({"price": None}, "/price"),
        ({"name": None}, "/name"),
        ({"stock": 3}, "/stock"),
        ({"id": "x"}, "/id"),
        ({"version": None}, "/version"),
        ({"attributes": {"b": "x" * 10_000}}, "/attributes"),
    ],
)
def test_a_bad_patch_is_refused(shop: Shop, patch: Any, pointer: str) -> None:
    item = shop.add(attributes={"a": "x" * 10_000})
    answer = shop.patch(f"/items/{item['id']}", patch, '"1"')
    assert is_problem(answer, 400, "VALIDATION_ERROR")
    assert answer.pointers == [pointer]
    assert shop.item(item["id"]) == item


@pytest.mark.parametrize("delta", [None, "3", 1.5, 10**10, True])
def test_a_bad_adjustment_is_refused(shop: Shop, delta: Any) -> None:
    item = shop.add(stock=1)
    answer = shop.post(f"/items/{item['id']}/stock", {"delta": delta, "reason": "x"}, key="k")
    assert is_problem(answer, 400, "VALIDATION_ERROR")
    assert answer.pointers == ["/delta"]


@pytest.mark.parametrize("rows", [[], [new_item()] * 101, {"0": new_item()}, ["x"]])
def test_a_bad_batch_is_refused_whole(shop: Shop, rows: Any) -> None:
    assert is_problem(shop.post("/items/batch", {"items": rows}), 400, "VALIDATION_ERROR")
    assert shop.walk(10) == []


def test_a_body_may_have_256_kilobytes(shop: Shop) -> None:
    fits = json.dumps(new_item()).encode().ljust(256 * 1024)
    assert shop.call("POST", "/items", fits).status == 201
    assert is_problem(shop.call("POST", "/items", fits + b" "), 413, "PAYLOAD_TOO_LARGE")
    assert is_problem(shop.call("POST", "/items", b" " * 11_000_000), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/merge-patch+json", "application/jsonp", "multipart/form-data"]
)
def test_a_body_must_be_json(shop: Shop, kind: str) -> None:
    answer = shop.call("POST", "/items", new_item(), {"Content-Type": kind})
    assert is_problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_may_be_spelled_in_any_way(shop: Shop, kind: str) -> None:
    assert shop.call("POST", "/items", new_item(), {"Content-Type": kind}).status == 201


def test_at_most_a_hundred_flaws_are_named(shop: Shop) -> None:
    item = shop.add(stock=1)["id"]
    bad = {"item_id": item, "quantity": 0, "unit_price": {"amount": 1, "currency": "x"}, "colour": "red"}
    for count, pointers in ((999, 100), (2000, 1)):
        refused = shop.post("/orders", {"lines": [bad] * count}, key="k")
        assert (refused.status, len(refused.pointers)) == (400, pointers)
    assert refused.pointers == ["/lines"]
    many = shop.post("/items", new_item(**{f"field{n}": n for n in range(10_000)}))
    assert (many.status, len(many.pointers)) == (400, 100)
    absent = {f"item_01JD3ZK8Q4M5X6Y7Z8A9B0C{n:03}": 1 for n in range(80)}
    lines = [{"item_id": each, "quantity": 1} for each in absent] * 2
    assert len(shop.post("/orders", {"lines": lines}, key="k").pointers) == 100
    entries = [{"account_id": "x", "direction": "up", "amount": {}}] * 91
    posted = shop.post("/ledger/transactions", {"description": "x", "entries": entries}, key="k")
    assert (posted.status, posted.pointers) == (400, ["/entries"])


BODYLESS = [
    function
    for function in functions()
    if function.declaration.permission != SIGNED  # its body is checked against its signature
    and not function.route.resolver.get_openapi_schema()
    .model_dump(by_alias=True, exclude_none=True)["paths"][function.path][function.declaration.method.lower()]
    .get("requestBody")
]


@pytest.mark.parametrize("function", BODYLESS, ids=lambda function: function.name)
def test_a_route_without_a_body_refuses_one(shop: Shop, operator: Operator, function: RouteFunction) -> None:
    query = json.loads(function.event.read_text())["queryStringParameters"] or {}
    path = re.sub("{([a-z]+)_id}", "nobody", function.path.removeprefix("/v1")) + f"?{urlencode(query)}".rstrip("?")
    method, headers = function.declaration.method, {"If-Match": "*", "Idempotency-Key": "k"}
    for body, code in ((b"{garbage", "INVALID_JSON"), (b'{"a": 1}', "VALIDATION_ERROR"), (b"[]", "VALIDATION_ERROR")):
        if function.declaration.permission == IAM:
            raw = f"/v1{path}"
            sent = operator.signed(method, raw, body, headers | {"Content-Type": "application/json"})
            refused = operator.send(method, raw, sent, body)
        else:
            refused = shop.call(method, path, body, headers)
        assert (refused.status, refused.code) == (400, code), (function.name, body)
    assert shop.call(method, path, b"{}", headers).code != "VALIDATION_ERROR"


def test_an_empty_body_is_none(shop: Shop) -> None:
    order = shop.order({shop.add(stock=1)["id"]: 1}).json["id"]
    assert shop.post(f"/orders/{order}/cancel", {"reason": "none"}).pointers == ["/reason"]
    assert shop.post(f"/orders/{order}/cancel", {}).json["status"] == "cancelled"


def test_unknown_paths_and_methods(shop: Shop) -> None:
    assert is_problem(shop.get("/nothing"), 404, "NOT_FOUND")
    refused = shop.call("PUT", "/items")
    assert is_problem(refused, 405, "METHOD_NOT_ALLOWED")
    assert refused.headers["allow"] == "GET, POST"


def test_only_an_id_token_of_this_pool_is_accepted(shop: Shop) -> None:
    stranger = generate_private_key(65537, 2048)
    header, payload, _signature = shop.token().split(".")
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    bad = {
        "another key": shop.token(key=stranger),
        "expired": shop.token(lifetime=timedelta(seconds=-1)),
        "access token": shop.token(token_use="access"),
        "another pool": shop.token(iss="https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_other"),
        "another client": shop.token(aud="other"),
        "alg none": f"{unsigned}.{payload}.",
        "no signature": f"{header}.{payload}.",
        "HMAC with the public key": jwt.encode({"sub": "x"}, "0" * 64, algorithm="HS256"),
        "nonsense": "x",
    }
    for name, token in bad.items():
        assert is_problem(shop.call("GET", "/items", token=token), 401, "UNAUTHORIZED"), name
    missing = shop.send("GET", "/v1/items", {}, b"")
    assert is_problem(missing, 401, "UNAUTHORIZED")


@pytest.mark.parametrize(
    "claims",
    [
        {"custom:tenant_id": "a#b"},
        {"custom:tenant_id": "ACME"},
        {"custom:tenant_id": ""},
        {"custom:tenant_id": "x" * 41},
        {"cognito:groups": []},
        {"cognito:groups": ["admin"]},
    ],
)
def test_a_token_without_tenant_or_role_is_of_no_use(shop: Shop, claims: dict[str, Any]) -> None:
    assert is_problem(shop.call("GET", "/items", token=shop.token(**claims)), 403, "FORBIDDEN")


def test_a_tenant_in_the_request_means_nothing(shop: Shop) -> None:
    other = Shop(shop.send)
    item = other.add()
    assert shop.get(f"/items/{item['id']}", X_Tenant_Id=other.tenant).status == 404
    assert shop.get(f"/items/{item['id']}?tenant={other.tenant}").pointers == ["/query/tenant"]
    refused = shop.post("/items", new_item(tenant=other.tenant))
    assert refused.pointers == ["/tenant"]


def test_query_parameters_that_there_are_not_are_refused(shop: Shop) -> None:
    refused = shop.get("/items?stauts=archived&limit=1")
    assert (refused.code, refused.pointers) == ("VALIDATION_ERROR", ["/query/stauts"])
    assert shop.get("/health?check=1").code == "VALIDATION_ERROR"
    assert shop.get("/items?limit=1").status == 200
