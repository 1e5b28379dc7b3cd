"""POST /v1/orders/{order_id}/payments: record a payment of an order, or begin one by a provider."""

from domain.common.errors import (
    Contention,
    InvalidState,
    NotFound,
    PaymentDeclined,
    PaymentInProgress,
    ProviderUnavailable,
)
from domain.identity.permissions import Permission
from domain.payments.payment import NewPayment, Payment
from handlers.dependencies.payments import Payments
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/orders/<order_id>/payments",
    permission=Permission.ORDERS_OWN,
    status=201,
    location="/v1/payments/{id}",
    raises=[NotFound, InvalidState, PaymentInProgress, PaymentDeclined, ProviderUnavailable, Contention],
    idempotency_key="required",
    deferred=True,
)
def pay_order(order_id: str, new: NewPayment, payments: Payments) -> Payment:
    """Record the manual payment of a pending order, or begin a payment by a provider.

    A manual one, which staff and owners record, is captured at once and posted to the ledger; the order becomes paid.
    Any other is confirmed by the customer with its provider, and captured after that: ask with `refresh`. An order that
    can no longer be paid is never captured. 202 while the provider's outcome is not known; the same key answers the
    payment's state until that is final.
    """
    return payments.pay(order_id, new)


handler = api.handler
