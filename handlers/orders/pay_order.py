"""POST /v1/orders/{order_id}/payments: record the payment of an order."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from domain.payments import NewPayment, Payment
from handlers.dependencies.payments import Payments
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/payments",
    permission=Permission.ORDERS_MANAGE,
    status=201,
    location="/v1/orders/{order_id}",
    raises=[NotFound, InvalidState, Contention],
    idempotency_key="required",
)
def pay_order(order_id: str, new: NewPayment, payments: Payments) -> Payment:
    """Record the payment of a pending order. It is captured at once and posted to the ledger; the order becomes paid.

    Returns the payment. 409 if the order is not pending, or if its reservation has ended.
    """
    return payments.pay(order_id, new)


handler = api.handler
