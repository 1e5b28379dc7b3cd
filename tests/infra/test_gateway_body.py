"""Tests of the API's definition: expanded, it answers as the local gateway does."""

import asyncio
import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from handlers.http.declaration import IAM, PUBLIC, SIGNED
from handlers.http.problems import CONTENT_TYPE
from handlers.registry import functions
from infra.constructs.gateway_body import ANY, UNKNOWN, Definition, Json, gateway_body
from local.http.gateway import Gateway, Reply, Request
from tests.shop import KEY, OPERATOR

ORIGINS = ("https://shop.example", "https://admin.example")
METHODS = ("GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS")
REQUEST_ID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
_PATH = """$util.escapeJavaScript($context.path.replaceFirst("^/$context.stage/", "/")).replaceAll("\\\\'", "'")"""


def _body(*, origins: tuple[str, ...] = ("*",), keys: bool = False) -> Json:
    definition = Definition(
        name="tradepost-dev",
        target=lambda function: f"arn:{function.name}:live",
        invoker="arn:role",
        user_pool="arn:pool",
        cors_origins=origins,
        keys_required=keys,
    )
    return gateway_body(functions(), definition)


def _mocked(operation: Json, path: str) -> tuple[int, dict[str, str], str]:
    """Return what a mock answers, as API Gateway maps it: status, headers, body."""
    integration = operation["x-amazon-apigateway-integration"]
    assert integration["type"] == "mock"
    response = integration["responses"]["default"]
    [declared] = operation["responses"]
    assert declared == response["statusCode"]
    assert {json.loads(each)["statusCode"] for each in integration["requestTemplates"].values()} == {int(declared)}
    mapped = {
        name.removeprefix("method.response.header."): each for name, each in response["responseParameters"].items()
    }
    # A header is passed on only if the method response declares it.
    assert set(mapped) == set(operation["responses"][declared]["headers"])
    headers = {name: _value(each) for name, each in mapped.items()}
    text = response["responseTemplates"]["application/json"].replace(_PATH, path)
    return int(declared), headers, text.replace("$context.requestId", REQUEST_ID)


def _value(expression: str) -> str:
    if expression == "context.requestId":
        return REQUEST_ID
    assert expression[0] == expression[-1] == "'"
    return expression[1:-1]


class _Invoked(Exception):
    """A function was invoked, by this name."""


async def _invoke(name: str, _event: dict[str, Any]) -> dict[str, Any]:
    raise _Invoked(name)


def _locally(method: str, path: str) -> tuple[int, dict[str, str], str]:
    """Return what the local gateway answers to a request without credentials. Raises _Invoked."""
    request = Request(method, path, "", [("Host", "127.0.0.1")], b"", "127.0.0.1")
    reply: Reply = asyncio.run(Gateway(KEY, OPERATOR, _invoke).handle(request))
    headers = dict(reply.headers)
    text = reply.body.decode()
    if "X-Request-Id" in headers:
        text, headers["X-Request-Id"] = text.replace(headers["X-Request-Id"], REQUEST_ID), REQUEST_ID
    return reply.status, headers, text


def _instance(path: str) -> str:
    return path.replace("{", "x").replace("}", "")


def test_the_definition_is_openapi_3_0() -> None:
    for body in (_body(), _body(origins=()), _body(origins=ORIGINS, keys=True)):
        OpenAPIV30SpecValidator(body).validate()
        assert body["openapi"] == "3.0.1"


def test_each_function_has_one_method_with_its_authorization() -> None:
    body = _body()
    found = {
        (method, path): operation
        for path, operations in body["paths"].items()
        for method, operation in operations.items()
        if "operationId" in operation
    }
    assert set(found) == {(each.declaration.method.lower(), each.path) for each in functions()}
    for function in functions():
        operation = found[function.declaration.method.lower(), function.path]
        assert operation["operationId"] == function.operation_id
        integration = operation["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["httpMethod"]) == ("aws_proxy", "POST")
        assert integration["uri"].endswith(f"functions/arn:{function.name}:live/invocations")
        assert integration["credentials"] == "arn:role"
        scheme = {PUBLIC: None, SIGNED: None, IAM: "sigv4"}.get(str(function.declaration.permission), "cognito")
        assert operation["security"] == ([{scheme: []}] if scheme else [])
    schemes = body["components"]["securitySchemes"]
    assert schemes["cognito"]["x-amazon-apigateway-authorizer"]["providerARNs"] == ["arn:pool"]
    assert schemes["sigv4"]["x-amazon-apigateway-authtype"] == "awsSigv4"


def test_every_path_and_method_is_answered_as_by_the_local_gateway() -> None:
    body = _body()
    for path, operations in body["paths"].items():
        if path == UNKNOWN:
            continue
        for method in METHODS:
            operation = operations.get(method.lower(), operations[ANY])
            if "operationId" not in operation:
                assert _same(_mocked(operation, _instance(path)), _locally(method, _instance(path))), (method, path)
                continue
            if operation["security"]:
                assert _locally(method, _instance(path))[0] == 401
                continue
            with pytest.raises(_Invoked) as invoked:
                _locally(method, _instance(path))
            assert f"arn:{invoked.value}:" in operation["x-amazon-apigateway-integration"]["uri"]


def test_unknown_paths_are_answered_as_by_the_local_gateway() -> None:
    operation = _body()["paths"][UNKNOWN][ANY]
    for path in ("/v1/nothing", "/v1/items/x/y/z", "/"):
        for method in METHODS[:-1]:
            assert _same(_mocked(operation, path), _locally(method, path))


def _same(mocked: tuple[int, dict[str, str], str], local: tuple[int, dict[str, str], str]) -> bool:
    parsed = [(status, headers, json.loads(text) if text else None) for status, headers, text in (mocked, local)]
    assert parsed[0] == parsed[1]
    return True


def test_problems_of_the_gateway_are_those_of_the_local_one() -> None:
    responses = _body()["x-amazon-apigateway-gateway-responses"]
    status, headers, text = _locally("GET", "/v1/items")
    response = responses["UNAUTHORIZED"]
    sent = response["responseParameters"]
    assert response["statusCode"] == str(status)
    assert {name.removeprefix("gatewayresponse.header."): _value(each) for name, each in sent.items()} == headers
    ours = json.loads(response["responseTemplates"]["application/json"].replace("$context.requestId", REQUEST_ID))
    local = json.loads(text)
    assert {"instance", "detail"} == {name for name in local if local[name] != ours[name]}


def test_every_problem_of_the_gateway_is_complete() -> None:
    responses = _body()["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "THROTTLED", "REQUEST_TOO_LARGE"} <= set(responses)
    assert responses["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "401"
    assert responses["WAF_FILTERED"]["statusCode"] == "403"
    for response in responses.values():
        problem = json.loads(response["responseTemplates"]["application/json"])
        assert str(problem["status"]) == response["statusCode"]
        # No part of the request that may contain quotes: nothing can be escaped here.
        assert problem["request_id"] == "$context.requestId"
        assert "$context" not in json.dumps(problem).replace("$context.requestId", "")
        headers = response["responseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == f"'{CONTENT_TYPE}'"
        assert headers["gatewayresponse.header.X-Request-Id"] == "context.requestId"
        assert ("gatewayresponse.header.Retry-After" in headers) == (problem["status"] in {429, 503})


def test_a_path_cannot_break_out_of_an_answer_to_an_unknown_one() -> None:
    """The caller controls the path: quotes in it are escaped as in JSON."""
    for operations in _body()["paths"].values():
        response = operations[ANY]["x-amazon-apigateway-integration"]["responses"]["default"]
        template = response["responseTemplates"]["application/json"]
        assert "$context.path" not in template.replace(_PATH, "")
        assert json.loads(template.replace(_PATH, "/v1/x"))["instance"] == "/v1/x"


def test_pages_of_several_origins_may_read_errors_and_ask_before_they_send() -> None:
    one, several, none = _body(origins=ORIGINS[:1]), _body(origins=ORIGINS), _body(origins=())
    assert all("options" not in operations for operations in none["paths"].values())
    allowed = "gatewayresponse.header.Access-Control-Allow-Origin"
    for body, origin in ((one, f"'{ORIGINS[0]}'"), (several, "'*'"), (none, None)):
        for response in body["x-amazon-apigateway-gateway-responses"].values():
            assert response["responseParameters"].get(allowed) == origin
    preflight = several["paths"]["/v1/items"]["options"]["x-amazon-apigateway-integration"]["responses"]["default"]
    sent = preflight["responseParameters"]
    assert sent["method.response.header.Access-Control-Allow-Origin"] == f"'{ORIGINS[0]}'"
    assert sent["method.response.header.Vary"] == "'Origin'"
    assert f'$origin == "{ORIGINS[1]}"' in preflight["responseTemplates"]["application/json"]


def test_api_keys_are_required_of_all_but_public_routes_if_switched_on() -> None:
    body = _body(keys=True)
    assert body["components"]["securitySchemes"]["api_key"]["name"] == "x-api-key"
    for function in functions():
        security = body["paths"][function.path][function.declaration.method.lower()]["security"]
        assert any("api_key" in each for each in security) == (function.declaration.permission not in {PUBLIC, SIGNED})
    allowed = _mocked(body["paths"]["/v1/items"]["options"], "/v1/items")[1]["Access-Control-Allow-Headers"]
    assert "X-Api-Key" in allowed
