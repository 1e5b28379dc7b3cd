"""Questions to a tenant's payment providers, with its credentials, through their circuits."""

from collections.abc import Callable
from functools import partial

from domain.common.errors import InvalidState
from domain.common.money import Money
from repositories.dynamodb.session import Session
from repositories.payments import credentials as secrets
from repositories.payments.credentials import Credentials
from repositories.payments.providers.clients import client, statements
from repositories.payments.providers.provider import CredentialsRefused, Provider
from repositories.payments.providers.statements import Statements


class NoCredentials(Exception):
    """A provider cannot be asked: the tenant has no credentials for it, or none any more."""


def client_of(session: Session, provider: str) -> Provider:
    """Return the client of a provider, with the tenant's credentials. Raises NoCredentials, Unavailable."""
    return client(session, provider, _credentials(session, provider, anew=False))


def ask[T](session: Session, provider: str, question: Callable[[Provider], T]) -> T:
    """Return what a provider answers, asked again with credentials read anew if it does not accept those known.

    Raises NoCredentials, CircuitOpen, Unavailable, and as the question.
    """
    from repositories.payments.providers.circuit import through_circuit

    def attempt(credentials: Credentials) -> T:
        return through_circuit(session, provider, partial(question, client(session, provider, credentials)))

    return _asked(session, provider, attempt)


def ask_for_statements[T](session: Session, provider: str, question: Callable[[Statements], T]) -> T:
    """Return what a provider answers about its balance; reports that fail are no reason to take no payments.

    Raises NoCredentials, Unavailable, and as the question.
    """
    return _asked(session, provider, lambda credentials: question(statements(session, provider, credentials)))


def _asked[T](session: Session, provider: str, attempt: Callable[[Credentials], T]) -> T:
    try:
        return attempt(_credentials(session, provider, anew=False))
    except CredentialsRefused:
        return attempt(_credentials(session, provider, anew=True))


def _credentials(session: Session, provider: str, *, anew: bool) -> Credentials:
    found = secrets.read(session.tenant, provider, anew=anew) or secrets.read(session.tenant, provider, anew=True)
    if found is None:
        raise NoCredentials(f"There are no credentials for {provider}.")
    return found


def require_chargeable(session: Session, provider: str, amount: Money) -> None:
    """Raise InvalidState if a provider cannot charge or refund an amount, or cannot be asked. Raises Unavailable."""
    try:
        client_of(session, provider).require_chargeable(amount)
    except NoCredentials as missing:
        raise InvalidState(str(missing)) from None
