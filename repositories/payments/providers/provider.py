"""What Tradepost asks of a payment provider, whichever it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from domain.common.money import Money
from domain.payments.protocol import Held
from repositories.payments.credentials import Credentials
from repositories.payments.rows import StoredPayment


class OutcomeUnknown(Exception):
    """A provider did not answer, or not so that what it did is known: ask again."""


class ProviderDown(OutcomeUnknown):
    """A provider cannot be reached, takes too long, or has an error of its own."""


class Refused(Exception):
    """A provider has refused a request for good, and done nothing."""

    def __init__(self, reason: str, *, is_declined: bool = False, code: str = "") -> None:
        super().__init__(reason)
        self.reason, self.is_declined, self.code = reason, is_declined, code


class CredentialsRefused(Refused):
    """A provider does not accept the credentials."""


@dataclass(frozen=True, slots=True)
class Access:
    """How a provider is reached for a tenant."""

    tenant: str
    credentials: Credentials
    base: str
    """Address of its API."""
    deadline: float
    """Time until which it is asked, in seconds of the monotonic clock."""


class Received(NamedTuple):
    """A request that is said to come from a provider: its body, byte for byte, and headers, at a time."""

    body: bytes
    header: Callable[[str], str | None]
    at: datetime


class Subject(NamedTuple):
    """The payment that an event is about, as the provider was asked to note it."""

    tenant: str
    payment_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider holds of a payment, its id there, and what the customer needs to confirm it."""

    held: Held
    external_id: str
    client_secret: str | None = None
    approve_url: str | None = None
    failure: str | None = None
    """Why the last attempt of the customer was declined, or a capture refused."""


class Provider(Protocol):
    """A payment provider, with the credentials of one tenant.

    Every request can be repeated without another effect. All raise OutcomeUnknown, and Refused if nothing was done.
    """

    @property
    def signature_header(self) -> str:
        """Name of the header with the signature of what it sends."""

    def is_genuine(self, received: Received) -> bool:
        """Return whether it has sent what was received, lately."""

    def subject(self, event: Mapping[str, Any]) -> Subject | None:
        """Return the payment that an event is about, if it says."""

    def is_of_balance(self, event: Mapping[str, Any]) -> bool:
        """Return whether an event is about a dispute or a payout."""

    def account(self) -> str:
        """Return the id of the account. Raises CredentialsRefused."""

    def require_chargeable(self, amount: Money) -> None:
        """Raise InvalidState for an amount that cannot be charged."""

    def create(self, payment: StoredPayment) -> Answer:
        """Begin a payment, which the customer can confirm then."""

    def find(self, payment: StoredPayment) -> Answer | None:
        """Return a payment that was begun long ago, if there is one: what was asked then may not be known any more."""

    def look(self, payment: StoredPayment) -> Answer:
        """Return what is held."""

    def capture(self, payment: StoredPayment) -> Answer:
        """Capture what was authorised, and return what is held then."""

    def void(self, payment: StoredPayment) -> Answer:
        """Void what was not captured, and return what is held then."""

    def give_back(self, payment: StoredPayment) -> Answer:
        """Refund all that was captured, and return what is held then."""

    def refund(self, payment: StoredPayment, refund_id: str, amount: Money) -> None:
        """Refund an amount of a payment, once for each refund id, however late it is asked for again."""
