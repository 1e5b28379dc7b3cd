"""The OpenAPI document: what Powertools says of each route, merged, and what the routes share added to it."""

import json
from typing import Any

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

from domain import VERSION
from domain.common import errors
from handlers.http.problems import CONTENT_TYPE, INTERNAL_ERROR, PROBLEMS, Problem
from handlers.http.request import MERGE_PATCH
from handlers.http.responses import JSON
from handlers.http.route import IAM, PUBLIC
from handlers.registry import Function, functions

_TEXT = {"type": "string"}
_COMPONENT = "#/components/schemas/Problem"

_EVERY_ROUTE = (errors.Unavailable,)
_WITH_CALLER = (errors.Unauthorized, errors.Forbidden)
_WITH_INPUT = (errors.ValidationFailed,)
_WITH_BODY = (errors.InvalidJson, errors.PayloadTooLarge, errors.UnsupportedMediaType)
_WITH_KEY = (errors.IdempotencyKeyReused, errors.IdempotencyInProgress, errors.Contention)

_SHARED_HEADERS = {
    "X-Request-Id": {"description": "The same in every log line of this request.", "schema": _TEXT},
    "X-Capacity-Read": {"description": "Read capacity units consumed.", "schema": _TEXT},
    "X-Capacity-Write": {"description": "Write capacity units consumed.", "schema": _TEXT},
    "X-Db-Requests": {"description": "Requests to DynamoDB.", "schema": _TEXT},
}
_HEADERS = {name: {"$ref": f"#/components/headers/{name}"} for name in _SHARED_HEADERS}
_ETAG = {"description": "The version of what is shown.", "schema": {"type": "string", "pattern": '^"[0-9]+"$'}}

_PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "What went wrong (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": _TEXT,
        "detail": _TEXT,
        "instance": _TEXT,
        "request_id": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {"pointer": _TEXT, "code": _TEXT, "detail": _TEXT},
            },
        },
    },
}


def document() -> dict[str, Any]:
    """Return the OpenAPI document of all functions as plain JSON values."""
    merge = OpenAPIMerge(
        title="Tradepost",
        version=VERSION,
        description="The backend of a shop or marketplace: catalogue, stock, orders, payments and a ledger.",
        license_info=None,
        security_schemes={
            "bearer": HTTPBearer(bearerFormat="JWT", description="An ID token of the Cognito user pool."),
        },
        on_conflict="error",
    )
    for function in functions():
        schema = function.api.resolver.get_openapi_schema().model_dump(mode="json", by_alias=True, exclude_none=True)
        operation = schema["paths"][function.path][function.operation.method.lower()]
        _complete(operation, function)
        merge.add_schema(schema)
    whole: dict[str, Any] = json.loads(merge.get_openapi_json_schema())
    components = whole["components"]
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["schemas"]["Problem"] = _PROBLEM_SCHEMA
    components["headers"] = _SHARED_HEADERS
    components["securitySchemes"]["sigv4"] = {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "Signature Version 4 of an IAM principal, for the service execute-api.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }
    components["examples"] = {
        problem.code: {"value": _example(problem)} for problem in (INTERNAL_ERROR, *PROBLEMS.values())
    }
    return whole


def document_json() -> str:
    """Return the document as text, as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _complete(operation: dict[str, Any], function: Function) -> None:
    declared = function.operation
    operation["operationId"] = function.operation_id
    operation["tags"] = [function.resource]
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "if-match":
            parameter["name"] = "If-Match"
    operation["security"] = {PUBLIC: [], IAM: [{"sigv4": []}]}.get(declared.permission, [{"bearer": []}])
    if declared.idempotency_key != "ignored":
        operation.setdefault("parameters", []).append(_key_parameter(required=declared.idempotency_key == "required"))
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        content[JSON]["example"] = json.loads(json.loads(function.event.read_text())["body"])
        if declared.method == "PATCH":
            content[MERGE_PATCH] = content[JSON]
    operation["responses"] = _success(operation, function) | _problems(operation, function)


def _key_parameter(*, required: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "Send the same key again to get the first answer again, and no second effect.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255},
    }


def _success(operation: dict[str, Any], function: Function) -> dict[str, Any]:
    status = function.operation.status
    response = operation["responses"][str(status)] | {"description": "Done", "headers": dict(_HEADERS)}
    content = response.pop("content", {})
    if function.name == "GetDocs":
        response["content"] = {"text/html": {"schema": _TEXT}}
    elif status != 204:
        response["content"] = content
    if "version" in _shown_fields(content):
        response["headers"]["ETag"] = _ETAG
    responses = {str(status): response}
    if "ETag" in response["headers"] and function.operation.method == "GET":
        operation.setdefault("parameters", []).append(
            {"name": "If-None-Match", "in": "header", "required": False, "schema": _TEXT}
        )
        responses["304"] = {"description": "Not modified", "headers": dict(_HEADERS) | {"ETag": _ETAG}}
    if status == 201:
        response["headers"]["Location"] = {"description": "Where it is.", "schema": _TEXT}
    return responses


def _shown_fields(content: dict[str, Any]) -> set[str]:
    ref = content.get(JSON, {}).get("schema", {}).get("$ref", "")
    return {"version"} if ref.rpartition("/")[2] in {"Item", "Tenant", "User"} else set()


def _problems(operation: dict[str, Any], function: Function) -> dict[str, Any]:
    declared = function.operation
    raised: set[type[errors.DomainError]] = {*_EVERY_ROUTE, *declared.raises}
    if declared.permission != PUBLIC:
        raised.update(_WITH_CALLER)
    if operation.get("parameters"):
        raised.update(_WITH_INPUT)
    if "requestBody" in operation:
        raised.update(_WITH_INPUT + _WITH_BODY)
    if declared.idempotency_key != "ignored":
        raised.update(_WITH_KEY)
    if declared.idempotency_key == "required":
        raised.add(errors.IdempotencyKeyRequired)
    by_status: dict[int, list[Problem]] = {500: [INTERNAL_ERROR]}
    for error in sorted(raised, key=lambda each: each.__name__):
        problem = PROBLEMS[error]
        by_status.setdefault(problem.status, []).append(problem)
    return {str(status): _problem_response(problems) for status, problems in sorted(by_status.items())}


def _problem_response(problems: list[Problem]) -> dict[str, Any]:
    return {
        "description": " · ".join(f"{problem.title} (`{problem.code}`)" for problem in problems),
        "headers": dict(_HEADERS),
        "content": {
            CONTENT_TYPE: {
                "schema": {"$ref": _COMPONENT},
                "examples": {problem.code: {"$ref": f"#/components/examples/{problem.code}"} for problem in problems},
            }
        },
    }


def _example(problem: Problem) -> dict[str, Any]:
    return {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "code": problem.code,
        "detail": "What happened, in a sentence.",
        "instance": "/v1/items",
        "request_id": "5f3c1b0e-6d4b-4a57-9e0c-0a8f4d1c2b3a",
        "errors": [],
    }
