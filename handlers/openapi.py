"""OpenAPI document: the schemas that Powertools generates for each route, merged and completed.

Build-time code: the document is deployed, this module is not.
"""

import copy
import json
from typing import Any

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import Contact, HTTPBearer, License

from domain import VERSION
from domain.common import errors
from handlers.http import errors as transport
from handlers.http.declaration import IAM, PUBLIC, SIGNED
from handlers.http.problems import CONTENT_TYPE, INTERNAL_ERROR, PROBLEMS, Problem, problem_document
from handlers.http.responses import JSON
from handlers.openapi_schemas import describe_defaults, share_currencies, without_json_values, without_null
from handlers.registry import RouteFunction, functions

_TEXT = {"type": "string"}
_COMPONENT = "#/components/schemas/Problem"

_EVERY_ROUTE = (errors.Unavailable, errors.ValidationFailed, transport.TooManyRequests)
_WITH_CALLER = (errors.Unauthorized, errors.Forbidden)
_WITH_BODY = (transport.InvalidJson, transport.PayloadTooLarge, transport.UnsupportedMediaType)
_WITH_KEY = (errors.IdempotencyKeyReused, errors.IdempotencyInProgress, errors.Contention)

_SHARED_HEADERS = {
    "X-Request-Id": {"description": "Id of the request, in each of its log lines.", "schema": _TEXT},
    "X-Capacity-Read": {"description": "Read capacity units consumed.", "schema": _TEXT},
    "X-Capacity-Write": {"description": "Write capacity units consumed.", "schema": _TEXT},
    "X-Db-Requests": {"description": "Requests to DynamoDB.", "schema": _TEXT},
}
_HEADERS = {name: {"$ref": f"#/components/headers/{name}"} for name in _SHARED_HEADERS}
_ACCEPTED, _NO_CONTENT = 202, 204
_REPLAYED = {
    "description": "`true` if this is the stored response to an earlier request with the same Idempotency-Key.",
    "schema": {"type": "string", "enum": ["true"]},
}
_TAGS = {
    "bookings": "Bookings of resources for a time.",
    "discounts": "Discount codes.",
    "events": "Changes of all resources, in order.",
    "exports": "Data as files, for analysts and finance.",
    "items": "The catalogue and its stock.",
    "ledger": "Accounts, transactions and balances of the double-entry ledger.",
    "meta": "Health and documentation of the API; public.",
    "orders": "Orders, their payment and shipment.",
    "payments": "Payments by providers.",
    "providers": "Payment providers of a tenant.",
    "resources": "Resources whose time is sold, and when they are free.",
    "settlement": "Disputes and payouts of payment providers.",
    "refunds": "Refunds of parts of orders.",
    "shipments": "Shipments of parts of orders.",
    "stats": "Sales figures.",
    "tenants": "Tenants; for operators, who sign requests as IAM principals.",
    "users": "Users of a tenant.",
    "webhooks": "Endpoints to which events are sent, and deliveries to them.",
}
_IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "required": False, "schema": _TEXT}
_ETAG = {"description": "Version of the resource.", "schema": {"type": "string", "pattern": '^"[0-9]+"$'}}

_PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "A problem document (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "instance", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted({each.code for each in (INTERNAL_ERROR, *PROBLEMS.values())})},
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
    """Return the OpenAPI document of all routes as JSON values."""
    merge = OpenAPIMerge(
        title="Tradepost",
        version=VERSION,
        description="The backend of a shop or marketplace: catalogue, stock, orders, payments and a ledger.",
        license_info=License(name="Apache 2.0", identifier="Apache-2.0"),
        contact=Contact(name="Tradepost"),
        security_schemes={
            "bearer": HTTPBearer(bearerFormat="JWT", description="An ID token of the Cognito user pool."),
        },
        on_conflict="error",
    )
    shared: dict[str, Any] = {}
    for function in functions():
        schema = function.route.resolver.get_openapi_schema().model_dump(mode="json", by_alias=True, exclude_none=True)
        operation = schema["paths"][function.path][function.declaration.method.lower()]
        _complete(operation, function, schema["components"]["schemas"], shared)
        merge.add_schema(schema)
    whole: dict[str, Any] = json.loads(merge.get_openapi_json_schema())
    components = whole["components"]
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["schemas"] = without_json_values(components["schemas"])
    describe_defaults(components["schemas"])
    share_currencies(components["schemas"])
    components["schemas"]["Problem"] = _PROBLEM_SCHEMA
    components["headers"] = _SHARED_HEADERS
    components["responses"] = shared
    components["securitySchemes"]["sigv4"] = {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "description": "Signature Version 4 of an IAM principal, for the service execute-api.",
        "x-amazon-apigateway-authtype": "awsSigv4",
    }
    whole["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items()]
    components["examples"] = {
        problem.code: {"value": _example(problem)} for problem in (INTERNAL_ERROR, *PROBLEMS.values())
    }
    return whole


def document_json() -> str:
    """Return the document as JSON text, as stored in `docs/openapi.json`."""
    return json.dumps(document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _complete(
    operation: dict[str, Any], function: RouteFunction, schemas: dict[str, Any], shared: dict[str, Any]
) -> None:
    """Add the route's declaration to its operation. Error responses are added to `shared`, by name."""
    declared = function.declaration
    operation["operationId"] = function.operation_id
    operation["tags"] = [function.resource]
    for parameter in operation.get("parameters", []):
        if parameter["name"] == "if-match":
            parameter["name"] = "If-Match"
        parameter["schema"] = without_null(parameter["schema"])
        if parameter["in"] == "path":
            parameter["example"] = json.loads(function.event.read_text())["pathParameters"][parameter["name"]]
    operation["security"] = {PUBLIC: [], SIGNED: [], IAM: [{"sigv4": []}]}.get(declared.permission, [{"bearer": []}])
    if declared.idempotency_key != "ignored":
        operation.setdefault("parameters", []).append(_key_parameter(required=declared.idempotency_key == "required"))
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        content[JSON]["example"] = json.loads(json.loads(function.event.read_text())["body"])
    operation["responses"] = _success(operation, function, schemas) | _problems(operation, function, shared)


def _key_parameter(*, required: bool) -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": required,
        "description": "Key of the command: repeating it gets the first response again, without a second effect.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "minLength": 1, "maxLength": 255},
        "example": "2c9d1e4e-7f0b-4c58-9a55-3d1f0f6f3a10",
    }


def _success(operation: dict[str, Any], function: RouteFunction, schemas: dict[str, Any]) -> dict[str, Any]:
    declared = function.declaration
    response = operation["responses"][str(declared.status)] | {"description": "Done", "headers": dict(_HEADERS)}
    content = response.pop("content", {})
    if declared.status != _NO_CONTENT:
        response["content"] = _content(content, declared.media_type)
    if function.response.exists():
        response["content"][JSON]["example"] = json.loads(function.response.read_text())
    responses = {str(declared.status): response}
    if _has_version(content, schemas):
        response["headers"]["ETag"] = _ETAG
        if not declared.writes:
            operation.setdefault("parameters", []).append(_IF_NONE_MATCH)
            responses["304"] = {"description": "Not modified", "headers": dict(_HEADERS) | {"ETag": _ETAG}}
    if declared.idempotency_key != "ignored":
        response["headers"]["Idempotent-Replayed"] = _REPLAYED
    if declared.location:
        response["headers"]["Location"] = {"description": "URL of the created resource.", "schema": _TEXT}
        response["links"] = _links(declared.location)
    if declared.deferred:
        responses[str(_ACCEPTED)] = copy.deepcopy(response) | {"description": "Begun; the outcome is not known yet"}
        responses[str(_ACCEPTED)]["headers"].pop("Idempotent-Replayed", None)
    return responses


def _links(location: str) -> dict[str, Any]:
    """Return the links from a created resource to the operations that read it and, as a parent, what belongs to it.

    `location` is the path of the resource, with fields of the response in braces: `/v1/items/{id}`.
    """
    wanted = location.split("/")
    links = {}
    for function in functions():
        parts = function.path.split("/")
        if function.declaration.method != "GET" or "{" not in function.path or len(parts) < len(wanted):
            continue
        pairs = list(zip(parts, wanted, strict=False))
        if all(part == other or part[:1] == other[:1] == "{" for part, other in pairs):
            names = {part[1:-1]: f"$response.body#/{other[1:-1]}" for part, other in pairs if part.startswith("{")}
            links[function.operation_id] = {"operationId": function.operation_id, "parameters": names}
    return links


def _content(content: dict[str, Any], media_type: str) -> dict[str, Any]:
    """Return the content of a successful response. For a route that returns text, its key is `media_type`."""
    if content[JSON]["schema"].get("type") != "string":
        return content
    return {media_type: {"schema": {"type": "object"} if media_type == JSON else _TEXT}}


def _has_version(content: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Return whether a response contains a resource with a version, which is then its ETag."""
    name = content.get(JSON, {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    return bool(schemas.get(name, {}).get("properties", {}).get("version", {}).get("type") == "integer")


def _problems(operation: dict[str, Any], function: RouteFunction, shared: dict[str, Any]) -> dict[str, Any]:
    declared = function.declaration
    raised: set[type[errors.DomainError]] = {*_EVERY_ROUTE, *declared.raises}
    if declared.permission != PUBLIC:
        raised.update(_WITH_CALLER)
    if "requestBody" in operation:
        raised.update(_WITH_BODY)
    if declared.idempotency_key != "ignored":
        raised.update(_WITH_KEY)
    if declared.idempotency_key == "required":
        raised.add(transport.IdempotencyKeyRequired)
    if _is_hidden_by_another(function):
        raised.add(transport.MethodNotAllowed)
    by_status: dict[int, list[Problem]] = {500: [INTERNAL_ERROR]}
    for error in sorted(raised, key=lambda each: each.__name__):
        problem = PROBLEMS[error]
        by_status.setdefault(problem.status, []).append(problem)
    references = {}
    for status, problems in sorted(by_status.items()):
        name = "Or".join(_pascal(problem.code) for problem in problems)
        shared[name] = _problem_response(problems)
        references[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return references


def _is_hidden_by_another(function: RouteFunction) -> bool:
    """Return whether a more specific path without this method matches too, such as `/items/batch`: it responds 405."""
    methods: dict[str, set[str]] = {}
    for each in functions():
        if each.path != function.path and function.pattern.fullmatch(each.path):
            methods.setdefault(each.path, set()).add(each.declaration.method)
    return any(function.declaration.method not in allowed for allowed in methods.values())


def _pascal(code: str) -> str:
    return code.title().replace("_", "")


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
    request_id = "5f3c1b0e-6d4b-4a57-9e0c-0a8f4d1c2b3a"
    return problem_document(problem, "What happened, in a sentence.", "/v1/items", request_id)
