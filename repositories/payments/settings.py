"""Payment providers of a tenant: whether they are on, and the account; and clients for them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from domain.common.errors import Flaw, InvalidState, NotFound, ProviderUnavailable
from domain.common.events import DomainEvent
from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.common.validation import invalid_input
from domain.payments.providers import NewProvider, PaymentProvider
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale
from repositories.payments import credentials as secrets
from repositories.payments.credentials import Credentials
from repositories.payments.providers.clients import PROVIDERS, client
from repositories.payments.providers.provider import CredentialsRefused, OutcomeUnknown, Provider, Refused


class NoCredentials(Exception):
    """A provider cannot be asked: the tenant has no credentials for it, or none any more."""


def client_of(session: Session, provider: str, *, anew: bool = False) -> Provider:
    """Return the client of a provider, with the tenant's credentials, read anew if that is asked for.

    Raises NoCredentials, Unavailable.
    """
    found = secrets.read(session.tenant, provider, anew=anew) or secrets.read(session.tenant, provider, anew=True)
    if found is None:
        raise NoCredentials(f"There are no credentials for {provider}.")
    return client(session, provider, found)


def ask[T](session: Session, provider: str, question: Callable[[Provider], T]) -> T:
    """Return what a provider answers, asked again with credentials read anew if it does not accept those known.

    Raises NoCredentials, CircuitOpen, Unavailable, and as the question.
    """
    from repositories.payments.circuit import through_circuit

    try:
        return through_circuit(session, provider, partial(question, client_of(session, provider)))
    except CredentialsRefused:
        return through_circuit(session, provider, partial(question, client_of(session, provider, anew=True)))


def require_chargeable(session: Session, provider: str, amount: Money) -> None:
    """Raise InvalidState if a provider cannot charge or refund an amount, or cannot be asked. Raises Unavailable."""
    try:
        client_of(session, provider).require_chargeable(amount)
    except NoCredentials as missing:
        raise InvalidState(str(missing)) from None


def require_enabled(session: Session, provider: str) -> None:
    """Raise InvalidState unless payments can be begun with a provider, ProviderUnavailable if it is left alone now."""
    from repositories.payments.circuit import is_open

    row, circuit = (key(session.tenant, provider) for key in (keys.provider, keys.circuit))
    rows = session.read([row, circuit])
    if row not in rows or not rows[row]["enabled"]:
        raise InvalidState(f"Payments with {provider} are not enabled.")
    if is_open(rows.get(circuit), session.at):
        raise ProviderUnavailable


@dataclass(frozen=True, slots=True)
class ProviderRepository:
    """The payment providers of the caller's tenant."""

    session: Session

    @uses(IamAction.GET)
    def get(self, provider: str, base: str) -> PaymentProvider:
        """Return a provider; `base` is the address of the API. Raises NotFound."""
        row = self._read(provider)
        if row is None or row["account"] is None:
            raise NotFound("payment provider")
        return self._shown(row, base, self.session.table.get(keys.circuit(self.session.tenant, provider)))

    @uses(IamAction.GET, IamAction.PUT, IamAction.PROVIDER_SECRETS, IamAction.SET_PROVIDER_SECRETS)
    @retry_on_conflict
    def set(self, provider: str, new: NewProvider, base: str) -> PaymentProvider:
        """Set the credentials of a provider, once it has accepted them.

        Raises NotFound, ValidationFailed, ProviderUnavailable, Contention.
        """
        row = self._read(provider)
        given = _given(provider, new).after(secrets.read(self.session.tenant, provider, anew=True))
        account = self._account(provider, given)
        # The secret first: if this ends here, what is stored still works with it.
        secrets.write(self.session.tenant, provider, given)
        after = self._store(row, provider, enabled=new.enabled, account=account)
        return self._shown(after, base, None)

    @uses(IamAction.GET, IamAction.PUT, IamAction.SET_PROVIDER_SECRETS)
    @retry_on_conflict
    def delete(self, provider: str) -> None:
        """Delete the credentials of a provider; open payments cannot go on then. Raises NotFound, Contention."""
        row = self._read(provider)
        if row is None or row["account"] is None:
            raise NotFound("payment provider")
        # The secret first: if this ends here, it can be repeated.
        secrets.delete(self.session.tenant, provider)
        self._store(row, provider, enabled=False, account=None)

    def _account(self, provider: str, given: Credentials) -> str:
        try:
            return client(self.session, provider, given).account()
        except Refused as refused:
            flaw = Flaw(f"/credentials/{[*given.secrets][-1]}", "CREDENTIALS_REFUSED", refused.reason)
            raise invalid_input([flaw]) from None
        except OutcomeUnknown:
            raise ProviderUnavailable from None

    def _read(self, provider: str) -> Row | None:
        if provider not in PROVIDERS:
            raise NotFound("payment provider")
        return self.session.table.get(keys.provider(self.session.tenant, provider))

    def _store(self, before: Row | None, provider: str, *, enabled: bool, account: str | None) -> Row:
        version = before["version"] + 1 if before else 1
        after = new_row(
            keys.provider(self.session.tenant, provider),
            "provider",
            provider=provider,
            enabled=enabled,
            account=account,
            version=version,
            updated_at=to_rfc3339(self.session.at),
        )
        tx = self.session.transaction()
        if before:
            seen = before["version"]
            tx.put("change the provider", after, condition="version = :seen", raises=Stale(), seen=seen)
        else:
            tx.create("add the provider", after, raises=Stale())
        kind = "PaymentProviderChanged" if account else "PaymentProviderRemoved"
        self.session.commit_events(tx, DomainEvent(kind, f"provider/{provider}", version, {}, self.session.at))
        return after

    def _shown(self, row: Row, base: str, circuit: Row | None) -> PaymentProvider:
        from repositories.payments.circuit import is_open

        fields = {name: row[name] for name in ("provider", "enabled", "account", "version", "updated_at")}
        path = f"/v1/payment-events/{row['provider']}/{self.session.tenant}"
        is_left_alone = is_open(circuit, self.session.at)
        return PaymentProvider(**fields, webhook_url=f"{base}{path}", circuit="open" if is_left_alone else "closed")


def _given(provider: str, new: NewProvider) -> Credentials:
    """Return the credentials of a request. Raises ValidationFailed if they are another provider's."""
    fields = new.credentials.model_dump()
    names = {"stripe": ("webhook_secret", "secret_key"), "paypal": ("webhook_id", "client_id", "client_secret")}
    webhook, *secrets = names[provider]
    if webhook not in fields:
        raise invalid_input([Flaw("/credentials", "CREDENTIALS_OF_ANOTHER", f"They are not those of {provider}.")])
    return Credentials({name: fields[name] for name in secrets}, fields[webhook])
