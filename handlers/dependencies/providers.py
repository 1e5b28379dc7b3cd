"""Dependencies of routes on payment providers, and of those that read payments."""

from typing import Annotated

from handlers.http.dependencies import repository
from repositories.payments.reading import PaymentReader
from repositories.payments.settings import ProviderRepository

Reader = Annotated[PaymentReader, repository(PaymentReader)]
Providers = Annotated[ProviderRepository, repository(ProviderRepository)]
