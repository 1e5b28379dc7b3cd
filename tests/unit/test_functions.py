"""Tests of every function: permission, sample event, log line, modules loaded at a cold start, OpenAPI entry."""

import ast
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aws_lambda_powertools.event_handler import CORSConfig
from openapi_spec_validator import validate

from domain.identity.permissions import Permission
from handlers.http.declaration import IAM, PUBLIC, SIGNED
from handlers.openapi import document, document_json
from handlers.registry import ROOT, RouteFunction, all_functions, functions
from local.database import ENVIRONMENT
from tests.loaded import COUNTS, NEVER, counts, loaded
from tests.shop import Shop, new_item

every_function = pytest.mark.parametrize("function", functions(), ids=lambda function: function.name)


@every_function
def test_a_route_asks_for_a_permission_or_says_that_it_is_public(function: RouteFunction) -> None:
    permission = function.declaration.permission
    assert permission in {PUBLIC, SIGNED, IAM} or isinstance(permission, Permission)
    assert (permission == PUBLIC) == (function.resource == "meta")
    assert (permission == IAM) == (function.resource == "tenants")


@every_function
def test_a_route_is_named_after_its_module_and_says_what_it_does(function: RouteFunction) -> None:
    module = ast.parse((ROOT / function.module.replace(".", "/")).with_suffix(".py").read_text())
    routes = [node for node in module.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    declared = [node for node in routes if isinstance(node.decorator_list[0], ast.Call)]
    assert [node.name for node in declared] == [function.operation_name]
    assert (ast.get_docstring(module) or "").startswith(f"{function.declaration.method} {function.path}: ")
    assert ast.get_docstring(declared[0])


def test_every_function_has_its_event_and_every_event_its_function() -> None:
    events = {path for path in (ROOT / "events").rglob("*.json") if path.name != "env.json"}
    responses = {path for path in events if path.name.endswith(".response.json")}
    assert events - responses == {function.event for function in all_functions()}
    assert responses <= {function.response for function in functions()}


@every_function
def test_an_event_is_one_of_its_route(function: RouteFunction) -> None:
    event = json.loads(function.event.read_text())
    assert (event["httpMethod"], event["resource"]) == (function.declaration.method, function.path)
    path = function.path
    for name, value in (event["pathParameters"] or {}).items():
        path = path.replace(f"{{{name}}}", value)
    assert event["path"] == path
    context, permission = event["requestContext"], function.declaration.permission
    assert ("authorizer" in context) == isinstance(permission, Permission)
    assert bool(context["identity"].get("userArn")) == (permission == IAM)


def test_the_committed_openapi_document_is_what_the_handlers_make() -> None:
    committed = (ROOT / "docs" / "openapi.json").read_text()
    assert committed == document_json(), "run `uv run tradepost openapi`"


@pytest.fixture(scope="module")
def modules() -> dict[str, list[str]]:
    return loaded()


def test_a_function_loads_at_its_start_what_it_did_and_no_more(modules: dict[str, list[str]]) -> None:
    """Imports take most of a cold start, so that additional ones must show in code review."""
    wrote = "run `uv run python -m tests.loaded` and look at the difference"
    assert counts(modules) == json.loads(COUNTS.read_text()), wrote


def test_no_function_loads_what_it_does_not_need(modules: dict[str, list[str]]) -> None:
    for name, found in modules.items():
        assert not NEVER & {each.partition(".")[0] for each in found}, name


_BOOKING = {"PayOrder", "RefundOrder", "CreateRefund", "RefreshPayment", "CancelPayment"}


def test_only_what_pays_or_books_loads_the_ledger(modules: dict[str, list[str]]) -> None:
    for function in functions():
        books = function.resource == "ledger" or function.name in _BOOKING
        assert ("domain.ledger.accounts" in modules[function.name]) == books, function.name


@pytest.mark.parametrize(("tracing", "loaded"), [("on", True), ("off", False)])
def test_the_x_ray_sdk_is_loaded_only_where_tracing_is_on(tracing: str, loaded: bool) -> None:
    code = "import sys, handlers.items.get_item; print('aws_xray_sdk' in sys.modules)"
    environment = ENVIRONMENT | {"TRACING": tracing, "POWERTOOLS_TRACE_DISABLED": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(loaded)


@pytest.fixture
def log(moto_shop: Shop) -> Iterator[io.StringIO]:
    """Yield the functions' log output."""
    moto_shop.get("/health")
    [handler] = (each for each in logging.getLogger("tradepost").handlers if isinstance(each, logging.StreamHandler))
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


def test_a_request_is_one_line_that_tells_no_secrets(moto_shop: Shop, log: io.StringIO) -> None:
    token = moto_shop.token(email="jane@example.com")
    answer = moto_shop.call("POST", "/items", new_item(description="private words"), token=token)
    output = log.getvalue()
    [line] = [json.loads(line) for line in output.splitlines()]
    assert answer.headers["x-request-id"] == line["request_id"]
    assert (line["route"], line["status"], line["tenant"]) == ("POST /v1/items", 201, moto_shop.tenant)
    assert line["sub"] == moto_shop.user
    assert line["duration_ms"] > 0
    assert {"read_units", "write_units", "db_requests"} <= set(line)
    for secret in (token, token.split(".")[1], "jane@example.com", "private words", "Enamel"):
        assert secret not in output


def test_lines_of_one_caller_do_not_leak_into_the_next(moto_shop: Shop, log: io.StringIO) -> None:
    moto_shop.get("/items")
    other = Shop(moto_shop.send)
    other.get("/items/item_x")
    moto_shop.get("/health")
    first, second, third = (json.loads(line) for line in log.getvalue().splitlines())
    assert (first["tenant"], second["tenant"]) == (moto_shop.tenant, other.tenant)
    assert "code" not in first
    assert second["code"] == "NOT_FOUND"
    assert third.get("tenant") is None


def test_cors_headers_are_those_of_the_settings(moto_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    [get_item] = [function for function in functions() if function.name == "GetItem"]
    monkeypatch.setattr(get_item.route, "_cors", CORSConfig("https://shop.example"))
    allowed = moto_shop.get("/items/item_x", Origin="https://shop.example")
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in moto_shop.get("/items/item_x", Origin="https://evil.example").headers


SYSTEM = {"datetime.now", "time", "random", "secrets", "uuid4", "ThreadPoolExecutor", "urandom", "SystemRandom"}


def test_only_the_environment_asks_the_system() -> None:
    """Only `environment.py` may use the clock, pauses, randomness or threads; other code could not be simulated."""
    for path in (
        path for package in ("domain", "handlers", "repositories") for path in Path(ROOT, package).rglob("*.py")
    ):
        if path.name == "environment.py":
            continue
        nodes = list(ast.walk(ast.parse(path.read_text())))
        modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
        asked = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
        assert not SYSTEM & (modules | names | asked), path


def test_only_the_key_module_spells_keys() -> None:
    for path in (*Path(ROOT, "repositories").rglob("*.py"), *Path(ROOT, "handlers").rglob("*.py")):
        if path.name in {
            "keys.py",
            "asyncapi.py",
            "transaction.py",
            "work_keys.py",
            "openapi.py",
            "openapi_schemas.py",
        }:  # JSON references in documents, and names in expressions, contain "#" too.
            continue
        strings = [
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert not [text for text in strings if "#" in text], path


def test_the_openapi_document_is_valid() -> None:
    validate(document())
