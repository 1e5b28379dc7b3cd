"""DELETE /v1/payment-providers/{provider}: delete the credentials of a payment provider."""

from domain.common.errors import Contention, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.providers import Providers
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/payment-providers/<provider>", permission=Permission.PROVIDERS, status=204, raises=[NotFound, Contention]
)
def delete_payment_provider(provider: str, providers: Providers) -> None:
    """Delete the credentials of a payment provider. Payments that are open cannot go on without."""
    providers.delete(provider)


handler = api.handler
