"""POST /v1/payments/{payment_id}/cancel: cancel a payment."""

from domain.common.errors import Contention, InvalidState, NotFound, PaymentInProgress, ProviderUnavailable
from domain.identity.permissions import Permission
from domain.payments.payment import Payment
from handlers.dependencies.payments import Payments
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/payments/<payment_id>/cancel",
    permission=Permission.ORDERS_OWN,
    raises=[NotFound, InvalidState, PaymentInProgress, ProviderUnavailable, Contention],
    deferred=True,
)
def cancel_payment(payment_id: str, payments: Payments) -> Payment:
    """Cancel a payment that was not captured: nothing can come of it then. A captured one is refunded instead.

    Returns the payment; 202 until its provider has voided it.
    """
    return payments.cancel(payment_id)


handler = api.handler
