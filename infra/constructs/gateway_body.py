"""API Gateway's definition of the API: an OpenAPI 3.0.1 document with Amazon's extensions.

API Gateway imports OpenAPI 2.0 and 3.0 (API Gateway developer guide, "Develop REST APIs using OpenAPI"), so this is not
`docs/openapi.json`, which is 3.1. It has no schemas: functions validate requests. Gateway responses are part of it, as
an import overwrites those that are not.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws

from domain.common import errors
from handlers.http import errors as transport
from handlers.http.declaration import IAM, PUBLIC, SIGNED
from handlers.http.problems import CONTENT_TYPE, INTERNAL_ERROR, PROBLEMS, Problem, problem_document
from handlers.http.request import MERGE_PATCH
from handlers.http.responses import JSON
from handlers.http.route import ALLOWED_HEADERS, EXPOSED_HEADERS
from handlers.registry import RouteFunction

type Json = dict[str, Any]

API_KEY_HEADER = "X-Api-Key"
MIN_COMPRESSION_BYTES = 2048
ANY = "x-amazon-apigateway-any-method"
UNKNOWN = "/{proxy+}"
"""Path that matches what no other path does."""
_GATEWAY_PROBLEMS: dict[str, Problem] = {
    "ACCESS_DENIED": PROBLEMS[errors.Forbidden],
    "AUTHORIZER_CONFIGURATION_ERROR": INTERNAL_ERROR,
    "AUTHORIZER_FAILURE": INTERNAL_ERROR,
    "BAD_REQUEST_BODY": PROBLEMS[errors.ValidationFailed],
    "BAD_REQUEST_PARAMETERS": PROBLEMS[errors.ValidationFailed],
    "DEFAULT_4XX": PROBLEMS[errors.ValidationFailed],
    "DEFAULT_5XX": INTERNAL_ERROR,
    "EXPIRED_TOKEN": PROBLEMS[errors.Unauthorized],
    "INTEGRATION_FAILURE": PROBLEMS[errors.Unavailable],
    "INTEGRATION_TIMEOUT": PROBLEMS[errors.Unavailable],
    "INVALID_API_KEY": PROBLEMS[errors.Forbidden],
    "INVALID_SIGNATURE": PROBLEMS[errors.Unauthorized],
    "MISSING_AUTHENTICATION_TOKEN": PROBLEMS[errors.Unauthorized],
    "QUOTA_EXCEEDED": PROBLEMS[transport.TooManyRequests],
    "REQUEST_TOO_LARGE": PROBLEMS[transport.PayloadTooLarge],
    "RESOURCE_NOT_FOUND": PROBLEMS[errors.NotFound],
    "THROTTLED": PROBLEMS[transport.TooManyRequests],
    "UNAUTHORIZED": PROBLEMS[errors.Unauthorized],
    "UNSUPPORTED_MEDIA_TYPE": PROBLEMS[transport.UnsupportedMediaType],
    "WAF_FILTERED": PROBLEMS[errors.Forbidden],
}
_MOCK_TYPES = (
    JSON,
    MERGE_PATCH,
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "application/xml",
    "multipart/form-data",
    "text/plain",
)
"""Content types to which mocks answer; requests of other types get 415, as a mock has no template for them."""
_PATH = """$util.escapeJavaScript($context.path.replaceFirst("^/$context.stage/", "/")).replaceAll("\\\\'", "'")"""
"""Request path without the stage, as JSON string content; JSON has no escape for an apostrophe (API Gateway developer
guide, "$util")."""
_OCCURRENCE = "urn:uuid:$context.requestId"
"""Problem instance of gateway responses: they substitute variables and call no functions, so nothing can be escaped
(API Gateway developer guide, "x-amazon-apigateway-gateway-responses.responseTemplates")."""
_TEXT = {"schema": {"type": "string"}}


@dataclass(frozen=True, slots=True)
class Definition:
    """What a definition depends on besides the routes. ARNs may contain CloudFormation references."""

    name: str
    target: Callable[[RouteFunction], str]
    """ARN of the function of a route, or of its alias."""
    invoker: str
    """ARN of the role in which API Gateway invokes functions."""
    user_pool: str
    cors_origins: Sequence[str]
    keys_required: bool


def gateway_body(functions: Iterable[RouteFunction], definition: Definition) -> Json:
    """Return the definition of an API that has a method for each of these functions.

    Each path refuses other methods with 405, and other paths are 404. If `definition` has CORS origins, paths also
    answer preflight requests.
    """
    by_path: dict[str, list[RouteFunction]] = {}
    for function in functions:
        by_path.setdefault(function.path, []).append(function)
    paths = {path: _path(found, definition) for path, found in sorted(by_path.items())}
    unknown = _refusal(PROBLEMS[errors.NotFound], "There is no such resource.", _cors(definition))
    paths[UNKNOWN] = {ANY: unknown, "parameters": [_path_parameter("proxy")]}
    return {
        "openapi": "3.0.1",
        "info": {"title": definition.name, "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": _security_schemes(definition)},
        "x-amazon-apigateway-api-key-source": "HEADER",
        # Also here, as an import overwrites what is not in it.
        "x-amazon-apigateway-minimum-compression-size": MIN_COMPRESSION_BYTES,
        "x-amazon-apigateway-gateway-responses": dict(_gateway_responses(definition)),
    }


def _path(functions: Sequence[RouteFunction], definition: Definition) -> Json:
    methods = {each.declaration.method.lower(): _method(each, definition) for each in functions}
    allowed = ", ".join(sorted(method.upper() for method in methods))
    if definition.cors_origins:
        methods["options"] = _preflight(allowed, definition)
    headers = {"Allow": f"'{allowed}'"} | _cors(definition)
    refusal = _refusal(PROBLEMS[transport.MethodNotAllowed], f"This path answers {allowed}.", headers)
    parameters = [_path_parameter(name) for name in functions[0].pattern.groupindex]
    return methods | {ANY: refusal} | ({"parameters": parameters} if parameters else {})


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True} | _TEXT


def _method(function: RouteFunction, definition: Definition) -> Json:
    arn = definition.target(function)
    functions = f"arn:{Aws.PARTITION}:apigateway:{Aws.REGION}:lambda:path/2015-03-31/functions"
    return {
        "operationId": function.operation_id,
        "security": _security(function, definition),
        "responses": {"default": {"description": "The function's response"}},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": f"{functions}/{arn}/invocations",
            "credentials": definition.invoker,
            "passthroughBehavior": "when_no_match",
        },
    }


def _security(function: RouteFunction, definition: Definition) -> list[dict[str, list[str]]]:
    permission = function.declaration.permission
    if permission in {PUBLIC, SIGNED}:
        return []
    schemes: dict[str, list[str]] = {"sigv4": []} if permission == IAM else {"cognito": []}
    return [schemes | ({"api_key": []} if definition.keys_required else {})]


def _security_schemes(definition: Definition) -> Json:
    in_header = {"type": "apiKey", "name": "Authorization", "in": "header"}
    keys = {"api_key": in_header | {"name": API_KEY_HEADER.lower()}} if definition.keys_required else {}
    return {
        "cognito": in_header
        | {
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {"type": "cognito_user_pools", "providerARNs": [definition.user_pool]},
        },
        "sigv4": in_header | {"x-amazon-apigateway-authtype": "awsSigv4"},
    } | keys


def _refusal(problem: Problem, detail: str, headers: Mapping[str, str]) -> Json:
    """Return a method that answers with a problem and reaches no function."""
    sent = {"Content-Type": f"'{CONTENT_TYPE}'", "X-Request-Id": "context.requestId"} | dict(headers)
    return _mock(problem.status, problem.title, sent, _template(problem, detail, _PATH))


def _cors(definition: Definition) -> dict[str, str]:
    """Return the headers with which pages may read the gateway's own responses.

    These cannot choose between origins, so several origins become any. They contain an error and a request id only.
    """
    if not definition.cors_origins:
        return {}
    origin = definition.cors_origins[0] if len(definition.cors_origins) == 1 else "*"
    exposed = ", ".join(EXPOSED_HEADERS)
    return {"Access-Control-Allow-Origin": f"'{origin}'", "Access-Control-Expose-Headers": f"'{exposed}'"}


def _preflight(allowed: str, definition: Definition) -> Json:
    headers = [*ALLOWED_HEADERS, *([API_KEY_HEADER] if definition.keys_required else [])]
    sent = {
        "Access-Control-Allow-Headers": f"'{', '.join(headers)}'",
        "Access-Control-Allow-Methods": f"'{allowed}'",
        "Access-Control-Allow-Origin": f"'{definition.cors_origins[0]}'",
    }
    if len(definition.cors_origins) > 1:
        sent["Vary"] = "'Origin'"
    return _mock(204, "Preflight", sent, _origin_template(definition.cors_origins[1:]))


def _origin_template(others: Sequence[str]) -> str:
    """Return the template that sends one of several origins back to the page that asks for it."""
    if not others:
        return ""
    known = " || ".join(f'$origin == "{origin}"' for origin in others)
    header = "$context.responseOverride.header.Access-Control-Allow-Origin"
    sent = "$input.params().header"  # Names are as sent: capitalized by HTTP/1.1 clients, in lower case by HTTP/2.
    return (
        f'#set($origin = {sent}.get("Origin"))#if(!$origin || $origin == "")#set($origin = {sent}.get("origin"))#end'
        f'#if({known})#set({header} = "$origin")#end'
    )


def _mock(status: int, description: str, headers: Mapping[str, str], template: str) -> Json:
    """Return a method that answers without a function; `headers` are mapping expressions by header name."""
    return {
        "security": [],
        "responses": {str(status): {"description": description, "headers": dict.fromkeys(headers, _TEXT)}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": dict.fromkeys(_MOCK_TYPES, f'{{"statusCode": {status}}}'),
            "passthroughBehavior": "when_no_templates",
            "responses": {
                "default": {
                    "statusCode": str(status),
                    "responseParameters": {f"method.response.header.{name}": each for name, each in headers.items()},
                    "responseTemplates": {JSON: template},
                }
            },
        },
    }


def _gateway_responses(definition: Definition) -> Iterable[tuple[str, Json]]:
    headers = {"X-Request-Id": "context.requestId"} | _cors(definition)
    for kind, problem in _GATEWAY_PROBLEMS.items():
        retry = {"Retry-After": "'1'"} if problem.retryable else {}
        sent = headers | retry | {"Content-Type": f"'{CONTENT_TYPE}'"}
        yield (
            kind,
            {
                "statusCode": str(problem.status),
                "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in sent.items()},
                "responseTemplates": {JSON: _template(problem, problem.title, _OCCURRENCE)},
            },
        )


def _template(problem: Problem, detail: str, instance: str) -> str:
    """Return the mapping template of a problem document, with API Gateway's variables."""
    document = json.dumps(problem_document(problem, detail, "INSTANCE", "$context.requestId"))
    # Replaced after encoding: a function call contains quotes that json.dumps would escape.
    return document.replace("INSTANCE", instance)
