"""Local API Gateway: REST API with Cognito and IAM authorization and Lambda proxy integrations."""

import base64
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from domain.common.errors import DomainError, NotFound, Unauthorized
from handlers.http.declaration import IAM, PUBLIC, SIGNED
from handlers.http.errors import MethodNotAllowed, PayloadTooLarge
from handlers.http.problems import problem_response
from handlers.http.route import ALLOWED_HEADERS, EXPOSED_HEADERS
from handlers.registry import RouteFunction, functions
from local.http.sigv4 import USER_ARN, AccessKey, is_signed
from local.tokens import verified_claims

MAX_BODY_BYTES = 10 * 1024 * 1024
"""Maximum size of a request body in API Gateway (Amazon API Gateway quotas)."""
STAGE = "local"
_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": ", ".join(EXPOSED_HEADERS)}

type Invoke = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Function that invokes a Lambda function by name with an event."""


@dataclass(frozen=True, slots=True)
class Request:
    """HTTP request, with path, query string and headers as received."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str

    def header(self, name: str) -> str | None:
        """Return the last value of a header, or None. Names are case-insensitive."""
        return next((value for each, value in reversed(self.headers) if each.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Reply:
    """HTTP response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Resource:
    """Path of the API and the function of each method."""

    path: str
    pattern: re.Pattern[str]
    methods: dict[str, RouteFunction]


class Gateway:
    """Local API Gateway: finds the function, authorizes the request, and converts request and response."""

    def __init__(self, key: RSAPrivateKey, operator: AccessKey, invoke: Invoke) -> None:
        self._key = key
        self._operator = operator
        self._invoke = invoke
        self._resources = list(_resources())

    async def handle(self, request: Request) -> Reply:
        """Return the response to a request."""
        request_id = str(uuid4())
        try:
            return await self._route(request, request_id)
        except DomainError as refused:
            answer = problem_response(refused, unquote(request.path), request_id)
            headers = answer.headers | {"X-Request-Id": request_id} | _CORS
            return Reply(answer.status, list(headers.items()), answer.body.encode())

    async def _route(self, request: Request, request_id: str) -> Reply:
        path = unquote(request.path)
        for resource in self._resources:
            match = resource.pattern.fullmatch(path)
            if match:
                break
        else:
            raise NotFound
        allowed = ", ".join(sorted(resource.methods))
        if request.method == "OPTIONS":
            return Reply(204, _preflight(allowed), b"")
        function = resource.methods.get(request.method)
        if function is None:
            raise MethodNotAllowed(allowed)
        if len(request.body) > MAX_BODY_BYTES:
            raise PayloadTooLarge("A request may have 10 MB at most.")
        event = proxy_event(request, resource.path, match.groupdict(), request_id)
        event["requestContext"] |= self._identity(function, request)
        return _reply(await self._invoke(function.name, event))

    def _identity(self, function: RouteFunction, request: Request) -> dict[str, Any]:
        """Return what the authorizer of a route adds to the request context. Raises Unauthorized."""
        permission = function.declaration.permission
        if permission in {PUBLIC, SIGNED}:
            return {}
        if permission == IAM:
            if not is_signed(request, self._operator):
                raise Unauthorized("Sign the request with an operator's access key (SigV4, service execute-api).")
            return {"identity": _client(request) | {"accessKey": self._operator.id, "userArn": USER_ARN}}
        claims = verified_claims(self._key, request.header("authorization"))
        if claims is None:
            raise Unauthorized
        return {"authorizer": {"claims": claims}}


def proxy_event(
    request: Request,
    resource: str,
    path_parameters: dict[str, str],
    request_id: str,
) -> dict[str, Any]:
    """Return the event of a Lambda proxy integration (API Gateway developer guide, "Input format")."""
    headers = _multi((name.title(), value) for name, value in request.headers)
    query = _multi(parse_qsl(request.query, keep_blank_values=True))
    body, is_base64 = _body(request.body)
    moment = datetime.now(UTC)
    return {
        "resource": resource,
        "path": unquote(request.path),
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers or None,
        "queryStringParameters": _last(query),
        "multiValueQueryStringParameters": query or None,
        "pathParameters": path_parameters or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": STAGE,
            "domainName": request.header("host") or "",
            "extendedRequestId": request_id,
            "httpMethod": request.method,
            "identity": _client(request),
            "path": unquote(request.path),
            "protocol": "HTTP/1.1",
            "requestId": request_id,
            "requestTime": f"{moment:%d/%b/%Y:%H:%M:%S +0000}",
            "requestTimeEpoch": int(time.time() * 1000),
            "resourcePath": resource,
            "stage": STAGE,
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _client(request: Request) -> dict[str, Any]:
    return {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")}


def _resources() -> Iterable[_Resource]:
    """Yield the paths of the API, those with fewer parameters first, in the order in which API Gateway matches them."""
    methods: dict[str, dict[str, RouteFunction]] = {}
    for function in functions():
        methods.setdefault(function.path, {})[function.declaration.method] = function
    for path in sorted(methods, key=lambda each: (each.count("{"), each)):
        [pattern] = {function.pattern for function in methods[path].values()}
        yield _Resource(path, pattern, methods[path])


def _multi(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _last(multi: dict[str, list[str]]) -> dict[str, str] | None:
    return {name: values[-1] for name, values in multi.items()} or None


def _body(raw: bytes) -> tuple[str | None, bool]:
    if not raw:
        return None, False
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), True


def _reply(response: dict[str, Any]) -> Reply:
    headers = [(name, value) for name, values in response["multiValueHeaders"].items() for value in values]
    body = response.get("body") or ""
    return Reply(
        response["statusCode"],
        headers,
        base64.b64decode(body) if response.get("isBase64Encoded") else body.encode(),
    )


def _preflight(allowed: str) -> list[tuple[str, str]]:
    return [
        ("Access-Control-Allow-Origin", "*"),
        ("Access-Control-Allow-Methods", allowed),
        ("Access-Control-Allow-Headers", ", ".join(ALLOWED_HEADERS)),
    ]
