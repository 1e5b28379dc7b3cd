"""Disputes and payouts of payment providers, as clients see them."""

from enum import StrEnum

from domain.common.model import Model, Timestamp
from domain.common.money import Money


class DisputeStatus(StrEnum):
    """Status of a dispute."""

    NEEDS_RESPONSE = "needs_response"
    """Answer it on the provider's pages."""
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"


class Dispute(Model):
    """A payment that a customer has disputed with their bank or the provider. Its order stays as it is."""

    id: str
    """Id at the provider."""
    provider: str
    status: DisputeStatus
    reason: str
    """As the provider says it, such as `fraudulent`."""
    amount: Money
    payment_id: str | None
    """The payment; null if the provider does not say which it is."""
    respond_by: Timestamp | None
    created_at: Timestamp


class PayoutStatus(StrEnum):
    """Status of a payout."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    """Its money is back at the provider."""


class Payout(Model):
    """Money that a provider has paid out to the bank."""

    id: str
    """Id at the provider."""
    provider: str
    status: PayoutStatus
    amount: Money
    arrives_at: Timestamp | None
    """When it should be on the bank account, if the provider says."""
    created_at: Timestamp
