"""The clients of payment providers by name. Each is imported when it is needed: a request needs one of them."""

from repositories.aws.settings import settings
from repositories.dynamodb.session import Session
from repositories.payments.credentials import Credentials
from repositories.payments.providers.provider import Access, Provider
from repositories.payments.providers.statements import Statements

PROVIDERS = ("stripe", "paypal")
_RESERVE_SECONDS = 3.0
"""Seconds of a request's time that are reserved for noting what a provider answered."""


def client(session: Session, provider: str, credentials: Credentials) -> Provider:
    """Return the client of a provider for the session's tenant, with these credentials."""
    access = _access(session, provider, credentials)
    if provider == "stripe":
        from repositories.payments.providers.stripe.client import Stripe

        return Stripe(access)
    from repositories.payments.providers.paypal.client import PayPal

    return PayPal(access)


def statements(session: Session, provider: str, credentials: Credentials) -> Statements:
    """Return the balance of a provider for the session's tenant, with these credentials."""
    access = _access(session, provider, credentials)
    if provider == "stripe":
        from repositories.payments.providers.stripe.statements import StripeStatements

        return StripeStatements(access)
    from repositories.payments.providers.paypal.statements import PayPalStatements

    return PayPalStatements(access)


def _access(session: Session, provider: str, credentials: Credentials) -> Access:
    base = settings().stripe_api if provider == "stripe" else settings().paypal_api
    return Access(session.tenant, credentials, base, session.deadline - _RESERVE_SECONDS)
