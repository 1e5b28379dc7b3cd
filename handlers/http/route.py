"""A thin layer over the Powertools resolver: what every route of Tradepost has in common."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError

from domain.common.commands import Answer, Replayed
from domain.common.environment import monotonic, now
from domain.common.errors import DomainError, IdempotencyKeyRequired, NotFound
from domain.common.model import json_of
from domain.identity.permissions import Permission
from handlers import imported
from handlers.http.problems import from_validation, problem_answer, problem_of
from handlers.http.request import (
    Event,
    caller_of,
    command_of,
    header,
    issued_at,
    json_object,
    operator_of,
    require_no_body,
    with_json_body,
)
from handlers.http.responses import matches, not_modified, success
from handlers.http.telemetry import Handler, Telemetry, logger, traced
from repositories.aws.clients import dynamodb
from repositories.aws.settings import settings
from repositories.aws.tenant_client import client_for
from repositories.dynamodb.iam_actions import Access
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.dynamodb.token_revocation import require_valid

PUBLIC: Literal["public"] = "public"
"""The permission of a route that anybody may call."""

EXPOSED_HEADERS = ["ETag", "Location", "Retry-After", "Idempotent-Replayed", "X-Request-Id"]
_RESERVE_SECONDS = 1.0
"""Kept back of a function's time, to say that there was not enough of it."""

IAM: Literal["iam"] = "iam"
"""The permission of a route for operators, whom API Gateway knows by their signature (SigV4)."""

type Asked = Permission | Literal["public", "iam"]
type Route = Callable[..., Any]
type KeyUse = Literal["required", "accepted", "ignored"]


@dataclass(frozen=True, slots=True)
class Operation:
    """A route, as the OpenAPI document, the CDK app and the local server need to know it."""

    method: str
    path: str
    permission: Asked
    access: frozenset[Access]
    status: int
    raises: tuple[type[DomainError], ...]
    idempotency_key: KeyUse
    asks_along: bool
    location: str


@dataclass(slots=True)
class Call:
    """One request on its way through a route."""

    path: str
    address: str
    """The path as the client asked for it: behind the stage's name, where there is no domain of one's own."""
    request_id: str
    telemetry: Telemetry
    table: Table
    session: Session | None = None

    @property
    def base(self) -> str:
        """What stands before the API's paths in an address: the stage, or nothing behind a domain of one's own."""
        return self.address.removesuffix(self.path)

    def location(self, operation: Operation) -> str:
        """Return the address of what the route creates, its fields in braces."""
        return self.base + operation.location


class Api:
    """One route: `api.get(...)` and the like declare it, `api.handler` is the function's entry point."""

    operation: Operation
    _function: Route

    def __init__(self) -> None:
        self.resolver = APIGatewayRestResolver(
            enable_validation=True,
            json_body_deserializer=json_object,
            response_validation_error_http_code=500,
        )
        self.resolver.use([self._succeed])
        self.resolver.exception_handler(Exception)(self._refuse)
        self.handler: Handler = traced(self._handle)
        origins = os.environ.get("CORS_ORIGINS", "").split()
        self._cors = CORSConfig(origins[0], origins[1:], expose_headers=EXPOSED_HEADERS) if origins else None
        imported()

    def get(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a GET route; see `_declare` for the options."""
        return self._declare("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a POST route, which takes an Idempotency-Key; see `_declare`."""
        return self._declare("POST", path, **{"idempotency_key": "accepted"} | options)

    def patch(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a PATCH route; see `_declare`."""
        return self._declare("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a DELETE route; see `_declare`."""
        return self._declare("DELETE", path, **options)

    def _declare(
        self,
        method: str,
        path: str,
        *,
        permission: Asked,
        access: Sequence[Access] = (),
        status: int = 200,
        raises: Sequence[type[DomainError]] = (),
        idempotency_key: KeyUse = "ignored",
        asks_along: bool = False,
        location: str = "",
    ) -> Callable[[Route], Route]:
        """Declare the route.

        `permission` is asked for before the input is looked at; `access` is what the function's role may do to
        the table; `raises` are the domain's errors that it may answer, beside those of every route. Whether the
        caller's token is void is asked for before a change; a route that begins with `Session.read` `asks_along`.
        `location` is the path of what a 201 answers, where that is not the route's own path and the id.
        """
        self.operation = Operation(
            method,
            path,
            permission,
            frozenset(access),
            status,
            tuple(raises),
            idempotency_key,
            asks_along,
            location or f"{path}/{{id}}",
        )

        def register(route: Route) -> Route:
            self._function = route
            return self.resolver.route(path, method, status_code=status, summary=route.__doc__)(route)

        return register

    def _handle(self, event: Event, context: Any) -> dict[str, Any]:
        operation, request_id = self.operation, event["requestContext"]["requestId"]
        telemetry = Telemetry(f"{operation.method} {event['resource']}", request_id)
        table = Table(dynamodb(), settings().table_name, telemetry.meter)
        call = Call(event["path"], event["requestContext"]["path"], request_id, telemetry, table)
        try:
            admitted = self._admit(event, context, call)
        except DomainError as refused:
            response = _proxied(self._refusal(refused, call))
        else:
            self.resolver.context["call"] = call
            response = self.resolver.resolve(admitted, context)
        response["multiValueHeaders"] |= self._common_headers(event, call)
        telemetry.finish(response["statusCode"])
        return response

    def _admit(self, event: Event, context: Any, call: Call) -> Event:
        """Check who calls and what with, before anything of the input is validated."""
        operation = self.operation
        if operation.permission == PUBLIC:
            return event
        issued, checked = None, True
        if operation.permission == IAM:
            admitted = with_json_body(event)
            caller = operator_of(admitted)
            call.telemetry.caller(caller.tenant, caller.subject)
        else:
            caller = caller_of(event)
            call.telemetry.caller(caller.tenant, caller.subject)
            caller.require(operation.permission)
            admitted = with_json_body(event)
            call.table = Table(client_for(caller.tenant), call.table.name, call.table.meter)
            if operation.method != "GET":
                issued, checked = issued_at(event), not operation.asks_along
                if checked:
                    require_valid(call.table, caller, issued)
        command = None
        if operation.idempotency_key != "ignored":
            command = command_of(
                admitted,
                caller,
                answer=lambda result: success(operation.status, call.location(operation), json_of(result)),
                refusal=lambda error: problem_answer(error, call.path, call.request_id),
            )
        if operation.idempotency_key == "required" and not command:
            raise IdempotencyKeyRequired
        seconds = context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS
        call.session = Session(call.table, caller, now(), monotonic() + seconds, command, issued, checked)
        return admitted

    def _succeed(self, app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
        """Show what the route returned; to a reader who has it already, only that."""
        route = app.context["_route"]
        # Another one answers paths that API Gateway takes for ours and Powertools does not.
        if route.func is self._function and not route.dependant.body_params:
            require_no_body(app.current_event.raw_event)
        shown = next_middleware(app)
        if shown.body is not None and not isinstance(shown.body, dict):
            return shown
        call: Call = app.context["call"]
        answer = success(shown.status_code, call.location(self.operation), shown.body)
        known = header(app.current_event.raw_event, "if-none-match")
        etag = answer.headers.get("ETag")
        if etag and known and self.operation.method == "GET" and matches(known, etag):
            answer = not_modified(etag)
        return _response(answer)

    def _refuse(self, error: Exception) -> Response[Any]:
        """Turn whatever a route raised into its answer; a refusal becomes its command's answer for good."""
        call: Call = self.resolver.context["call"]
        if isinstance(error, NotFoundError):
            return self._refuse_finally(NotFound(), call)
        if isinstance(error, RequestValidationError):
            error = from_validation(error)
        if isinstance(error, DomainError) and call.session:
            try:
                self._settle(error, call.session)
            except Exception as instead:  # noqa: BLE001 - Powertools calls nobody for what its handlers raise
                return self._refuse_finally(instead, call)
        return self._refuse_finally(error, call)

    def _settle(self, error: DomainError, session: Session) -> None:
        """Keep a refusal as its command's answer; one that is not kept must not stand in for an earlier answer."""
        problem = problem_of(error)
        if problem.kept:
            session.remember(error)
        elif problem.replaced:
            session.replay()

    def _refuse_finally(self, error: Exception, call: Call) -> Response[Any]:
        if isinstance(error, Replayed):
            call.telemetry.replayed = True
            first = error.answer
            replayed = first.headers | {"Idempotent-Replayed": "true"}
            return _response(Answer(first.status, replayed, first.body))
        return _response(self._refusal(error, call))

    def _refusal(self, error: Exception, call: Call) -> Answer:
        known = error if isinstance(error, DomainError) else None
        if known is None:
            logger().exception("unforeseen", exc_info=error)
        call.telemetry.code = problem_of(known).code
        return problem_answer(known, call.path, call.request_id)

    def _common_headers(self, event: Event, call: Call) -> dict[str, list[str]]:
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


def _response(answer: Answer) -> Response[Any]:
    return Response(answer.status, headers=answer.headers, body=answer.body)


def _proxied(answer: Answer) -> dict[str, Any]:
    return {
        "statusCode": answer.status,
        "body": answer.body,
        "isBase64Encoded": False,
        "multiValueHeaders": {name: [value] for name, value in answer.headers.items()},
    }
