"""PUT /v1/payment-providers/{provider}: set the credentials of a payment provider."""

from domain.common.errors import Contention, NotFound, ProviderUnavailable
from domain.identity.permissions import Permission
from domain.payments.providers import NewProvider, PaymentProvider
from handlers.dependencies.providers import Providers
from handlers.http.dependencies import ApiAddress
from handlers.http.route import Route

api = Route()


@api.put(
    "/v1/payment-providers/<provider>",
    permission=Permission.PROVIDERS,
    raises=[NotFound, ProviderUnavailable, Contention],
)
def set_payment_provider(provider: str, new: NewProvider, providers: Providers, address: ApiAddress) -> PaymentProvider:
    """Set the credentials of a payment provider, which it must accept, and turn it on or off.

    They are kept in Secrets Manager and never shown. A webhook secret that is replaced stays valid until the next one.
    """
    return providers.set(provider, new, address)


handler = api.handler
