"""Routes: a thin layer over the Powertools resolver for admission, errors, idempotency and telemetry."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from domain.common.errors import DomainError, NotFound
from domain.common.model import json_of
from domain.identity.permissions import Permission
from handlers import end_initialization
from handlers.http.admission import caller_of, count_usage, open_session, operator_of, require_within_limit
from handlers.http.declaration import PUBLIC, SIGNED, Declaration, KeyUse, Required
from handlers.http.etags import matches
from handlers.http.problems import from_validation, problem_of, problem_response
from handlers.http.request import ProxyEvent, header, json_object, require_known_query, require_no_body, with_json_body
from handlers.http.responses import JSON, not_modified, success, to_json, to_proxy
from handlers.http.telemetry import Handler, Telemetry, logger, traced
from repositories.aws.clients import dynamodb
from repositories.aws.settings import http_settings, settings
from repositories.aws.tenant_credentials import forget_tenant
from repositories.dynamodb.idempotency import Replayed, StoredResponse
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table

ALLOWED_HEADERS = ["Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key"]
"""Headers that pages of other origins may send."""
EXPOSED_HEADERS = ["ETag", "Location", "Retry-After", "Idempotent-Replayed", "X-Request-Id"]
"""Headers that pages of other origins may read."""

_CREATED = 201
_ACCEPTED = 202
_REDIRECTION = 300
"""First status that is no success."""

type Endpoint = Callable[..., Any]
type Reveal = Callable[[dict[str, Any], str], dict[str, Any]]


@dataclass(slots=True)
class Call:
    """One request to a route."""

    path: str
    url_path: str
    """Path as sent by the client: with the stage name, unless the API has a custom domain."""
    request_id: str
    telemetry: Telemetry
    table: Table
    session: Session | None = None

    @property
    def prefix(self) -> str:
        """Path prefix of the API: the stage name, or empty with a custom domain."""
        return self.url_path.removesuffix(self.path)

    def location(self, declared: Declaration) -> str:
        """Return the URL template of a resource that the route creates, with field names in braces; empty if none."""
        return declared.location and self.prefix + declared.location


class Route:
    """A route. `get`, `post`, `put`, `patch` or `delete` declares it; `handler` is the entry point of its function.

    Options of a declaration:
    `permission`: permission of the caller, checked before the input is validated.
    `status`: status code of a successful response.
    `raises`: errors for the OpenAPI document, in addition to those that any route can raise.
    `idempotency_key`: whether the route requires, accepts or ignores an Idempotency-Key.
    `location`: path of a created resource; by default, with status 201, the route's path followed by the id.
    `media_type`: Content-Type of a successful response.
    `deferred`: whether it answers 202 instead while the outcome of what was begun is open.
    `rate_limit`: calls per second of all tenants that API Gateway lets through, for expensive routes; 0: as all routes.
    `reads`: whether a POST route only reads, because its question is too long for a query.
    `packages`: group of packages, beyond those that all functions have, in a zip of its own.
    `reveal`: adds to the body of a success what must not be stored with the Idempotency-Key, given body and tenant.
    The first sentence of the endpoint's docstring is the operation's summary, the whole docstring its description.
    """

    declaration: Declaration
    endpoint: Endpoint

    def __init__(self) -> None:
        self.resolver = APIGatewayRestResolver(
            enable_validation=True,
            json_body_deserializer=json_object,
            response_validation_error_http_code=500,
        )
        self.resolver.use([self._respond])
        self.resolver.exception_handler(Exception)(self._on_error)
        self.handler: Handler = traced(self._handle)
        origins = http_settings().cors_origins.split()
        self._cors = CORSConfig(origins[0], origins[1:], expose_headers=EXPOSED_HEADERS) if origins else None
        end_initialization()

    def get(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare a GET route."""
        return self._declare("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare a POST route. It accepts an Idempotency-Key."""
        return self._declare("POST", path, **{"idempotency_key": "accepted"} | options)

    def put(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare a PUT route."""
        return self._declare("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare a PATCH route."""
        return self._declare("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """Declare a DELETE route."""
        return self._declare("DELETE", path, **options)

    def _declare(
        self,
        method: str,
        path: str,
        *,
        permission: Required,
        status: int = 200,
        raises: Sequence[type[DomainError]] = (),
        idempotency_key: KeyUse = "ignored",
        location: str = "",
        media_type: str = JSON,
        rate_limit: int = 0,
        deferred: bool = False,
        reads: bool = False,
        packages: str = "",
        reveal: Reveal | None = None,
    ) -> Callable[[Endpoint], Endpoint]:
        self._reveal = reveal
        self.declaration = Declaration(
            method,
            path,
            permission,
            status,
            tuple(raises),
            idempotency_key,
            location or (f"{path}/{{id}}" if status == _CREATED else ""),
            media_type,
            rate_limit,
            deferred,
            reads,
            packages,
        )

        def register(endpoint: Endpoint) -> Endpoint:
            self.endpoint = endpoint
            description = (endpoint.__doc__ or "").strip()
            summary = re.split(r"(?<=[.])\s", description, maxsplit=1)[0].rstrip(".")
            route = self.resolver.route(path, method, status_code=status, summary=summary, description=description)
            return route(endpoint)

        return register

    def _handle(self, event: ProxyEvent, context: Any) -> dict[str, Any]:
        forget_tenant()
        request_id = event["requestContext"]["requestId"]
        telemetry = Telemetry(f"{self.declaration.method} {event['resource']}", request_id)
        table = Table(dynamodb(), settings().table_name, telemetry.meter)
        call = Call(event["path"], event["requestContext"]["path"], request_id, telemetry, table)
        try:
            admitted = self._admit(event, context, call)
        except Exception as error:  # noqa: BLE001 - such as a role that cannot be assumed yet: it is answered and logged
            response = to_proxy(self._problem_response(error, call))
        else:
            self.resolver.context["call"] = call
            response = self.resolver.resolve(admitted, context)
        if call.session and isinstance(self.declaration.permission, Permission):
            count_usage(call.session, telemetry)
        response["multiValueHeaders"] |= self._common_headers(event, call)
        telemetry.finish(response["statusCode"])
        return response

    def _admit(self, event: ProxyEvent, context: Any, call: Call) -> ProxyEvent:
        """Check the caller's permission and open the session. Return the event in the form that Powertools parses."""
        declared = self.declaration
        if declared.permission in {PUBLIC, SIGNED}:
            return event
        if isinstance(declared.permission, Permission):
            caller = caller_of(event)
            call.telemetry.caller(caller.tenant, caller.subject)
            caller.require(declared.permission)
            require_within_limit(caller)
            admitted = with_json_body(event)
        else:
            admitted = with_json_body(event)
            caller = operator_of(admitted)
            call.telemetry.caller(caller.tenant, caller.subject)

        def respond(result: Any) -> StoredResponse:
            return success(declared.status, call.location(declared), json_of(result))

        call.session = open_session(admitted, caller, call.table, declared, context, respond)
        return admitted

    def _respond(self, app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
        """Convert the endpoint's result to the response, or to 304 if the client has this version (middleware)."""
        route = app.context["_route"]
        # API Gateway and Powertools decode paths differently: Powertools may find no route, or one of its own.
        if route.func is self.endpoint:
            require_known_query(app.current_event.raw_event, {each.alias for each in route.dependant.query_params})
            if not route.dependant.body_params and self.declaration.permission != SIGNED:
                require_no_body(app.current_event.raw_event)
        result = next_middleware(app)
        if result.body is not None and not isinstance(result.body, dict):
            return result
        call: Call = app.context["call"]
        command = call.session.command if call.session else None
        if command and command.response:
            return self._sent(command.response, call)
        is_open = call.session is not None and call.session.outcome_open
        status = _ACCEPTED if is_open else result.status_code
        response = success(status, call.location(self.declaration), result.body)
        known = header(app.current_event.raw_event, "if-none-match")
        etag = response.headers.get("ETag")
        if etag and known and not self.declaration.writes and matches(known, etag):
            response = not_modified(etag)
        return self._sent(response, call)

    def _on_error(self, error: Exception) -> Response[Any]:
        """Convert an exception to a response. Store it if it is the final response to the request's Idempotency-Key."""
        call: Call = self.resolver.context["call"]
        if isinstance(error, NotFoundError):
            return self._final_response(NotFound(), call)
        if isinstance(error, RequestValidationError):
            error = from_validation(error)
        if isinstance(error, DomainError) and call.session:
            try:
                self._store_or_replay(error, call, call.session)
            except Exception as instead:  # noqa: BLE001 - Powertools does not handle errors of its exception handlers
                return self._final_response(instead, call)
        try:
            return self._final_response(error, call)
        except Exception as instead:  # noqa: BLE001 - see above; what is revealed may be out of reach
            return _to_response(self._problem_response(instead, call))

    def _store_or_replay(self, error: DomainError, call: Call, session: Session) -> None:
        """Store a final error as the response to the Idempotency-Key.

        Raises Replayed if a response is stored already, IdempotencyKeyReused or IdempotencyInProgress on conflict.
        """
        problem = problem_of(error)
        if problem.kept:
            session.record.store(problem_response(error, call.path, call.request_id))
        elif problem.replaced:
            session.record.replay()

    def _final_response(self, error: Exception, call: Call) -> Response[Any]:
        if isinstance(error, Replayed):
            call.telemetry.replayed = True
            first = error.response
            headers = first.headers | {"Idempotent-Replayed": "true"}
            return self._sent(StoredResponse(first.status, headers, first.body), call)
        return _to_response(self._problem_response(error, call))

    def _sent(self, response: StoredResponse, call: Call) -> Response[Any]:
        """Return a response with what is revealed only when it is sent."""
        if self._reveal and call.session and response.status < _REDIRECTION:
            shown = self._reveal(json.loads(response.body), call.session.tenant)
            response = StoredResponse(response.status, response.headers, to_json(shown))
        return _to_response(response)

    def _problem_response(self, error: Exception, call: Call) -> StoredResponse:
        known = error if isinstance(error, DomainError) else None
        if known is None:
            logger().exception("unforeseen", exc_info=error)
        call.telemetry.code = problem_of(known).code
        return problem_response(known, call.path, call.request_id)

    def _common_headers(self, event: ProxyEvent, call: Call) -> dict[str, list[str]]:
        meter = call.telemetry.meter
        headers = {
            "X-Request-Id": call.request_id,
            "X-Capacity-Read": f"{meter.read_units:g}",
            "X-Capacity-Write": f"{meter.write_units:g}",
            "X-Db-Requests": str(meter.requests),
        }
        if self._cors:
            headers |= self._cors.to_dict(self._cors.allowed_origin(header(event, "origin") or ""))
        return {name: [value] for name, value in headers.items()}


def _to_response(response: StoredResponse) -> Response[Any]:
    return Response(response.status, headers=response.headers, body=response.body)
