"""POST /v1/orders/{order_id}/refund: refund a paid order."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.orders import Order
from domain.payments import Refund
from handlers.dependencies.payments import Payments
from handlers.http.route import Route

api = Route()
_NO_REASON = Refund()


@api.post(
    "/v1/orders/<order_id>/refund",
    permission=Permission.ORDERS_MANAGE,
    raises=[NotFound, InvalidState, Contention],
    idempotency_key="required",
)
def refund_order(order_id: str, payments: Payments, refund: Annotated[Refund, Body()] = _NO_REASON) -> Order:
    """Refund a paid order that is not shipped. Its posting is reversed and its reserved units are released.

    Returns the order. 409 if it is not in the status paid.
    """
    return payments.refund(order_id, refund)


handler = api.handler
