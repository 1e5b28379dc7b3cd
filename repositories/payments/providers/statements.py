"""What Tradepost asks of a payment provider to keep its books: movements of the balance, disputes and payouts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.common.money import Money
from domain.payments.movements import Movement
from domain.payments.settlement import Dispute, Payout


@dataclass(frozen=True, slots=True)
class MovementPage:
    """A page of movements, and where the next one begins; None at the end."""

    movements: Sequence[Movement]
    next: str | None
    until: datetime
    """Time up to which the provider shows all movements."""


@dataclass(frozen=True, slots=True)
class DisputeFound:
    """A dispute, and what was withheld for it, which is lost with it; None if that is a movement of its own."""

    dispute: Dispute
    withheld: Money | None = None


class Statements(Protocol):
    """The balance of one tenant at a provider. All raise OutcomeUnknown, and Refused."""

    def movements(self, since: datetime, at: datetime, page: str | None) -> MovementPage:
        """Return a page of the movements between two times, in any order, each on one page."""

    def balance(self) -> Mapping[str, int]:
        """Return the balance by currency, in minor units."""

    def disputes(self, since: datetime) -> Sequence[DisputeFound]:
        """Return the disputes since a time, as they are now."""

    def payouts(self, since: datetime, at: datetime) -> Sequence[Payout]:
        """Return the payouts between two times, as they are now."""
