"""POST /v1/payment-events/{provider}/{tenant_id}: receive an event of a payment provider."""

from typing import Annotated

from aws_lambda_powertools.event_handler.depends import Depends

from domain.common.errors import NotFound, ProviderUnavailable
from handlers.http.declaration import SIGNED
from handlers.http.route import Route
from handlers.invocations.signed import SignedRequest, of_tenant, signed_request
from repositories.payments.incoming.inbox import PaymentInbox

Inbox = Annotated[PaymentInbox, of_tenant(PaymentInbox)]
Signed = Annotated[SignedRequest, Depends(signed_request)]
api = Route()


@api.post(
    "/v1/payment-events/<provider>/<tenant_id>",
    permission=SIGNED,
    status=204,
    raises=[NotFound, ProviderUnavailable],
    idempotency_key="ignored",
)
def receive_payment_event(provider: str, tenant_id: str, inbox: Inbox, signed: Signed) -> None:  # noqa: ARG001 - the inbox is the tenant's
    """Receive an event that a provider has signed. It is only a reason to ask the provider: what it says is not used.

    400 without a valid signature, 503 if it could not be kept: the provider sends it again then.
    """
    inbox.receive(provider, signed.body, signed.header)


handler = api.handler
