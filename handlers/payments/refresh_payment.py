"""POST /v1/payments/{payment_id}/refresh: ask the provider of a payment now."""

from domain.common.errors import Contention, InvalidState, NotFound, ProviderUnavailable
from domain.identity.permissions import Permission
from domain.payments.payment import Payment
from handlers.dependencies.payments import Payments
from handlers.http.route import Route

api = Route()


@api.post(
    "/v1/payments/<payment_id>/refresh",
    permission=Permission.ORDERS_OWN,
    raises=[NotFound, InvalidState, ProviderUnavailable, Contention],
    deferred=True,
)
def refresh_payment(payment_id: str, payments: Payments) -> Payment:
    """Ask the provider of a payment now, and go on with it: one that the customer has confirmed is captured.

    Returns the payment; 202 while its outcome is not known.
    """
    return payments.refresh(payment_id)


handler = api.handler
