"""Dependencies of routes on payment providers, and of those that read payments."""

from typing import Annotated

from aws_lambda_powertools.event_handler.depends import Depends

from handlers.http.dependencies import repository
from handlers.invocations.signed import SignedRequest, of_tenant, signed_request
from repositories.payments.incoming.inbox import PaymentInbox
from repositories.payments.reading import PaymentReader
from repositories.payments.settings import ProviderRepository

Reader = Annotated[PaymentReader, repository(PaymentReader)]
Providers = Annotated[ProviderRepository, repository(ProviderRepository)]
Inbox = Annotated[PaymentInbox, of_tenant(PaymentInbox)]
Signed = Annotated[SignedRequest, Depends(signed_request)]
