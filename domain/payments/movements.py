"""Movements of the balance that a provider keeps for a shop, and what each debits and credits."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.common.money import Money


class MovementKind(StrEnum):
    """What has moved the balance."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"
    """Money that is withheld while a payment is disputed, or comes back after it."""
    CHARGEBACK = "chargeback"
    """Money of a payment that was disputed and lost."""
    PAYOUT = "payout"
    """Money that was paid out to the bank, or has come back from there."""
    FEE = "fee"
    OPENING = "opening"
    """What an account had when it was connected."""
    OTHER = "other"


COUNTERPARTS = {
    MovementKind.CHARGE: "unapplied",
    MovementKind.REFUND: "unapplied",
    MovementKind.DISPUTE: "disputed",
    MovementKind.CHARGEBACK: "chargebacks",
    MovementKind.PAYOUT: "cash",
    MovementKind.FEE: "provider_fees",
    MovementKind.OPENING: "opening",
    MovementKind.OTHER: "unapplied",
}
"""The account that a movement is posted against, as far as no command has posted it."""


@dataclass(frozen=True, slots=True)
class Movement:
    """A movement of a provider's balance. Amounts are in minor units, and negative for what has left the balance."""

    id: str
    kind: MovementKind
    amount: int
    """Before the fee."""
    fee: int
    """What the provider has kept."""
    currency: str
    at: datetime
    about: str = ""
    """Id of the dispute or payout that it belongs to."""
    payment_id: str | None = None
    """The payment that the provider was asked to note."""
    refund_id: str | None = None
    is_final: bool = True
    """False while the provider says that it may still change."""


type Sums = Counter[tuple[str, str]]
"""Debits in minor units by account and currency; negative for credits."""


def debits_of(movement: Movement, clearing: str, posted: Money | None) -> Sums:
    """Return what a movement debits. `clearing` is the account of the balance; `posted`, what a command has posted.

    A provider that pays in another currency than the customer has exchanged the money.
    """
    sums: Sums = Counter()
    here, counterpart = movement.currency, COUNTERPARTS[movement.kind]
    done = 0 if posted is None else posted.minor if movement.amount > 0 else -posted.minor
    sums[clearing, here] += movement.amount - movement.fee
    sums["provider_fees", here] += movement.fee
    if posted is not None and posted.currency != here:
        sums["exchange", here] -= movement.amount
        sums["exchange", posted.currency] += done
        sums[clearing, posted.currency] -= done
        return sums
    sums[clearing, here] -= done
    sums[counterpart, here] -= movement.amount - done
    return sums
