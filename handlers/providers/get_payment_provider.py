"""GET /v1/payment-providers/{provider}: get a payment provider."""

from domain.common.errors import NotFound
from domain.identity.permissions import Permission
from domain.payments.providers import PaymentProvider
from handlers.dependencies.providers import Providers
from handlers.http.dependencies import ApiAddress
from handlers.http.route import Route

api = Route()


@api.get("/v1/payment-providers/<provider>", permission=Permission.PROVIDERS, raises=[NotFound])
def get_payment_provider(provider: str, providers: Providers, address: ApiAddress) -> PaymentProvider:
    """Get a payment provider, without its credentials."""
    return providers.get(provider, address)


handler = api.handler
