"""Schemathesis tests: the running server conforms to its OpenAPI document."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from requests import PreparedRequest
from requests.auth import AuthBase

from handlers.registry import ROOT
from tests.books import account
from tests.conftest import Server
from tests.people import Operator
from tests.shop import Shop

document = json.loads((ROOT / "docs" / "openapi.json").read_text())

OPAQUE = {"expected-statuses": ["2xx", "304", "400", "403", "404", "409", "412"]}
"""Statuses for schema-valid data: no schema states which cursors, addresses, changes, digits, credentials and
signatures are accepted."""
ONE_OPERATOR = {"expected-statuses": [*OPAQUE["expected-statuses"], "422"]}
"""The same, and 422 for an idempotency key that the only operator has used before."""
PRECONDITION = {"expected-statuses": ["400", "401", "403", "415", "428"]}
"""Statuses for a missing header; a missing If-Match is 428 (RFC 6585, section 3)."""

config = schemathesis.Config.from_dict(
    {
        # Unknown query parameters are refused, which a test of its own checks.
        "generation": {"allow-extra-parameters": False},
        "checks": {"missing_required_header": PRECONDITION},
        "operations": [
            {"include-name": name, "checks": {"positive_data_acceptance": OPAQUE}}
            for name in (
                "GET /v1/items",
                "POST /v1/items",
                "GET /v1/bookings",
                "POST /v1/bookings",
                "PATCH /v1/bookings/{booking_id}",
                "GET /v1/resources",
                "POST /v1/resources",
                "PATCH /v1/resources/{resource_id}",
                "DELETE /v1/resources/{resource_id}",
                "GET /v1/resources/{resource_id}/availability",
                "GET /v1/resources/{resource_id}/calendar.ics",
                "GET /v1/users",
                "GET /v1/orders",
                "POST /v1/orders",
                "POST /v1/orders/quote",
                "GET /v1/orders/{order_id}/payments",
                "GET /v1/orders/{order_id}/refunds",
                "POST /v1/orders/{order_id}/refunds",
                "GET /v1/orders/{order_id}/shipments",
                "GET /v1/discounts",
                "GET /v1/exports",
                "POST /v1/exports",
                "GET /v1/disputes",
                "GET /v1/payouts",
                "GET /v1/events",
                "POST /v1/discounts",
                "PATCH /v1/discounts/{discount_id}",
                "DELETE /v1/discounts/{discount_id}",
                "GET /v1/ledger/accounts",
                "GET /v1/ledger/accounts/{account_id}/entries",
                "GET /v1/ledger/transactions",
                "POST /v1/ledger/accounts",
                "POST /v1/ledger/transactions",
                "POST /v1/users",
                "PATCH /v1/items/{item_id}",
                "PATCH /v1/users/{user_id}",
                "DELETE /v1/items/{item_id}",
                "GET /v1/stats/sales",
                "GET /v1/stats/stock",
                "GET /v1/webhook-endpoints",
                "POST /v1/webhook-endpoints",
                "PATCH /v1/webhook-endpoints/{endpoint_id}",
                "DELETE /v1/webhook-endpoints/{endpoint_id}",
                "PUT /v1/payment-providers/{provider}",
                "POST /v1/payment-events/{provider}/{tenant_id}",
            )
        ]
        + [
            {"include-name": name, "checks": {"positive_data_acceptance": ONE_OPERATOR}}
            for name in (
                "GET /v1/tenants",
                "POST /v1/tenants",
                "PATCH /v1/tenants/{tenant_id}",
                "GET /v1/tenants/{tenant_id}",
            )
        ],
    }
)
for path, operations in document["paths"].items():
    if path.startswith("/v1/tenants"):
        for operation in operations.values():
            operation["security"] = []  # requests are signed when sent; bad signatures are tested elsewhere
schema = schemathesis.openapi.from_dict(document, config=config)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, which relays no events: thousands of requests would make very many."""
    server = Server(tmp_path_factory.mktemp("contract"), "--memory", "--no-events")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shop(server: Server) -> Shop:
    return server.shop("contract")


@pytest.fixture(scope="module")
def item_id(shop: Shop) -> str:
    return str(shop.add(stock=100)["id"])


@pytest.fixture(scope="module")
def order_id(shop: Shop, item_id: str) -> str:
    return str(shop.order({item_id: 1}).json["id"])


@pytest.fixture(scope="module")
def account_id(shop: Shop) -> str:
    return account(shop)


@pytest.mark.parametrize("existing", [True, False])
@schema.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_its_contract(
    case: schemathesis.Case[Any],
    server: Server,
    shop: Shop,
    item_id: str,
    order_id: str,
    account_id: str,
    existing: bool,
) -> None:
    known = {"item_id": item_id, "order_id": order_id, "account_id": account_id}
    if existing:
        if not known.keys() & case.path_parameters.keys():
            pytest.skip("It names nothing that could be there.")
        case.path_parameters |= {name: each for name, each in known.items() if name in case.path_parameters}
    if case.path.startswith("/v1/tenants"):
        case.call_and_validate(base_url=server.url, auth=Signing(server.operator))
        return
    nobody_before = str(uuid4())  # a caller without used idempotency keys
    token = shop.token(sub=nobody_before)
    case.call_and_validate(base_url=server.url, headers={"Authorization": f"Bearer {token}"})


class Signing(AuthBase):
    """Requests authentication that signs as an operator."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        raw = request.body or b""
        body = raw.encode() if isinstance(raw, str) else raw
        signed = self.operator.signed(str(request.method), request.path_url, body, {})
        request.headers.update(signed)
        return request
