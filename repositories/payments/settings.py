"""Payment providers of a tenant: whether they are on, and the account; and clients for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.common.errors import Flaw, InvalidState, NotFound, ProviderUnavailable
from domain.common.events import DomainEvent
from domain.common.model import to_rfc3339
from domain.common.money import SignedMoney
from domain.common.validation import invalid_input
from domain.payments.providers import NewProvider, PaymentProvider
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale
from repositories.payments import credentials as secrets
from repositories.payments.accounting.watching import watch
from repositories.payments.credentials import Credentials
from repositories.payments.providers.clients import PROVIDERS, client
from repositories.payments.providers.provider import OutcomeUnknown, Refused


def require_enabled(session: Session, provider: str) -> None:
    """Raise InvalidState unless payments can be begun with a provider, ProviderUnavailable if it is left alone now."""
    from repositories.payments.providers.circuit import is_open

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

    @uses(IamAction.GET, IamAction.BATCH_GET)
    def get(self, provider: str, base: str) -> PaymentProvider:
        """Return a provider; `base` is the address of the API. Raises NotFound."""
        row = self._read(provider)
        if row is None or row["account"] is None:
            raise NotFound("payment provider")
        tenant = self.session.tenant
        return self._shown(row, base, self.session.read([key(tenant, provider) for key in _STATES]))

    @uses(
        *(IamAction.GET, IamAction.QUERY, IamAction.PUT),
        *(IamAction.PROVIDER_SECRETS, IamAction.SET_PROVIDER_SECRETS),
    )
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
        watch(self.session, provider, account, given)
        return self._shown(after, base, {})

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
        last = datetime.fromisoformat(before["updated_at"]) if before else self.session.at
        at = max(self.session.at, last)
        after = new_row(
            keys.provider(self.session.tenant, provider),
            "provider",
            provider=provider,
            enabled=enabled,
            account=account,
            version=version,
            updated_at=to_rfc3339(at),
        )
        tx = self.session.transaction()
        if before:
            seen = before["version"]
            tx.put("change the provider", after, condition="version = :seen", raises=Stale(), seen=seen)
        else:
            tx.create("add the provider", after, raises=Stale())
        kind = "PaymentProviderChanged" if account else "PaymentProviderRemoved"
        self.session.commit_events(tx, DomainEvent(kind, f"provider/{provider}", version, {}, at))
        return after

    def _shown(self, row: Row, base: str, states: Mapping[Key, Row]) -> PaymentProvider:
        from repositories.payments.providers.circuit import is_open

        tenant, provider = self.session.tenant, row["provider"]
        circuit, cursor = (states.get(key(tenant, provider)) for key in _STATES)
        fields = {name: row[name] for name in ("provider", "enabled", "account", "version", "updated_at")}
        differences = cursor["differences"] if cursor else {}
        return PaymentProvider(
            **fields,
            webhook_url=f"{base}/v1/payment-events/{provider}/{tenant}",
            circuit="open" if is_open(circuit, self.session.at) else "closed",
            difference=[SignedMoney.of_minor(minor, code) for code, minor in sorted(differences.items())],
            compared_at=cursor.get("checked_at") if cursor else None,
        )


_STATES = (keys.circuit, keys.provider_cursor)
"""Keys of rows that say how it goes with a provider."""


def _given(provider: str, new: NewProvider) -> Credentials:
    """Return the credentials of a request. Raises ValidationFailed if they are another provider's."""
    fields = new.credentials.model_dump()
    names = {"stripe": ("webhook_secret", "secret_key"), "paypal": ("webhook_id", "client_id", "client_secret")}
    webhook, *secrets = names[provider]
    if webhook not in fields:
        raise invalid_input([Flaw("/credentials", "CREDENTIALS_OF_ANOTHER", f"They are not those of {provider}.")])
    return Credentials({name: fields[name] for name in secrets}, fields[webhook])
