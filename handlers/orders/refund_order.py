"""POST /v1/orders/{order_id}/refund: refund everything that is left of an order."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body

from domain.common.errors import Contention, InvalidState, NotFound, PaymentInProgress
from domain.identity.permissions import Permission
from domain.orders.order import Order
from domain.orders.parts import RefundOfRest
from handlers.dependencies.payments import Payments
from handlers.http.route import Route

api = Route()
_NO_REASON = RefundOfRest()


@api.post(
    "/v1/orders/<order_id>/refund",
    permission=Permission.ORDERS_MANAGE,
    raises=[NotFound, InvalidState, Contention, PaymentInProgress],
    deferred=True,
    idempotency_key="required",
)
def refund_order(order_id: str, payments: Payments, rest: Annotated[RefundOfRest, Body()] = _NO_REASON) -> Order:
    """Refund everything that is left of a paid order. Units that were not shipped are released.

    Returns the order, which is refunded. Shipped units do not return to the stock. 409 if the order was not paid, or
    was refunded before.
    """
    return payments.refund_rest(order_id, rest.reason)


handler = api.handler
