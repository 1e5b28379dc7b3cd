"""POST /v1/orders/{order_id}/refunds: refund a part of an order."""

from domain.common.errors import Contention, InvalidState, NotFound, PaymentInProgress, RefundTooLarge
from domain.identity.permissions import Permission
from domain.orders.parts import NewRefund, Refund
from handlers.dependencies.payments import Payments
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/refunds",
    permission=Permission.ORDERS_MANAGE,
    status=201,
    location="/v1/orders/{order_id}/refunds",
    raises=[NotFound, InvalidState, RefundTooLarge, Contention, PaymentInProgress],
    deferred=True,
    idempotency_key="required",
)
def create_refund(order_id: str, new: NewRefund, payments: Payments) -> Refund:
    """Refund lines, shipping or both of a paid order, or an amount.

    A line's refund is its share of what was paid for it, after discount and with tax; the last unit takes the rounding.
    Units that were not shipped are released first; shipped ones return to the stock with `restock`. 409 if the order
    was not paid, and for more units than were bought or more money than is left.
    """
    return payments.refund(order_id, new)


handler = api.handler
