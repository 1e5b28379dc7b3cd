"""Sample events of routes, as API Gateway sends them, on the sample data that `tradepost invoke` uses."""

import json
from typing import Any
from uuid import uuid4

from domain.identity.permissions import Permission
from handlers.http.declaration import IAM
from handlers.registry import RouteFunction, functions
from local.http.gateway import Request, proxy_event
from local.http.sigv4 import USER_ARN
from local.samples.data import (
    ACCOUNTS,
    BOOKINGS,
    CODES,
    CUSTOMER,
    ENDPOINT_IDS,
    EVENT_ID,
    EXPORT_IDS,
    ITEM_ID,
    ORDERS,
    OWNER,
    PAYMENT_IDS,
    RESOURCE_IDS,
    TENANT,
    TRANSACTION_ID,
)
from repositories.discounts.rows import discount_id_of

_HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
_PARAMETERS = {
    "account_id": next(iter(ACCOUNTS)),
    "booking_id": next(iter(BOOKINGS)),
    "endpoint_id": ENDPOINT_IDS[0],
    "event_id": EVENT_ID,
    "export_id": EXPORT_IDS[0],
    "discount_id": discount_id_of(TENANT, CODES[0]),
    "item_id": ITEM_ID,
    "order_id": next(iter(ORDERS)),
    "payment_id": PAYMENT_IDS[0],
    "provider": "stripe",
    "resource_id": RESOURCE_IDS[0],
    "tenant_id": TENANT,
    "txn_id": TRANSACTION_ID,
    "user_id": CUSTOMER,
}
"""Sample values of path parameters."""
_ISSUED, _EXPIRES = "Sat Nov 21 08:00:00 UTC 2026", "Sat Nov 21 09:00:00 UTC 2026"


def named(name: str) -> RouteFunction:
    """Return the function of a route by its path below `handlers/`, such as `items/get_item`. Raises LookupError."""
    known = {f"{function.resource}/{function.operation_name}": function for function in functions()}
    if name not in known:
        raise LookupError(f"There is no route {name}. There are: {', '.join(known)}.")
    return known[name]


def sample_event(function: RouteFunction, body: Any = None) -> dict[str, Any]:
    """Return an event for a route, with `body` as JSON. Raises LookupError for a path parameter without a sample."""
    parameters = {name: _sample(name) for name in function.path.split("/") if name.startswith("{")}
    parameters = {name.strip("{}"): value for name, value in parameters.items()}
    path = function.path.format_map(parameters)
    request = Request(function.declaration.method, path, "", _headers(function, body), _text(body), "203.0.113.7")
    event = proxy_event(request, function.path, parameters, str(uuid4()))
    context = event["requestContext"]
    context |= {"path": f"/dev{path}", "stage": "dev", "accountId": "123456789012", "apiId": "a1b2c3d4e5"}
    if isinstance(function.declaration.permission, Permission):
        context["authorizer"] = {"claims": _claims()}
    elif function.declaration.permission == IAM:
        context["identity"] |= {"userArn": USER_ARN}
    return event


def _sample(name: str) -> str:
    if name.strip("{}") not in _PARAMETERS:
        raise LookupError(f"There is no sample for {name}: add one to cli/sample_event.py.")
    return _PARAMETERS[name.strip("{}")]


def _headers(function: RouteFunction, body: Any) -> list[tuple[str, str]]:
    headers = [("Accept", "application/json"), ("Host", _HOST), ("User-Agent", "curl/8.5.0")]
    if body is not None:
        headers.append(("Content-Type", "application/json"))
    if function.declaration.idempotency_key != "ignored":
        headers.append(("Idempotency-Key", function.operation_name.replace("_", "-")))
    if function.declaration.method in {"PATCH", "DELETE"}:
        headers.append(("If-Match", '"1"'))
    return headers


def _text(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


def _claims() -> dict[str, str]:
    return {
        "sub": OWNER,
        "email": "owner@example.com",
        "cognito:groups": "owner",
        "custom:tenant_id": TENANT,
        "token_use": "id",
        "iat": _ISSUED,
        "exp": _EXPIRES,
    }
