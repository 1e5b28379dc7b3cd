"""Events of payments, disputes and payouts."""

from datetime import datetime

from domain.common.events import DomainEvent
from domain.common.model import json_of
from domain.payments.settlement import Dispute, Payout
from repositories.payments.rows import StoredPayment


def payment_event(payment: StoredPayment) -> DomainEvent:
    """Return the event of a payment that was begun, or is at another stage."""
    data = {"order_id": payment.order_id, "provider": payment.provider, "amount": json_of(payment.amount)}
    return DomainEvent(f"Payment{payment.stage.title()}", payment.id, payment.version, data, payment.updated_at)


def dispute_event(dispute: Dispute, version: int, at: datetime) -> DomainEvent:
    """Return the event of a dispute that is new, or has changed."""
    data = {"provider": dispute.provider, "status": dispute.status.value, "payment_id": dispute.payment_id}
    amount = {"amount": json_of(dispute.amount)}
    return DomainEvent("DisputeChanged", f"dispute/{dispute.id}", version, data | amount, at)


def payout_event(payout: Payout, version: int, at: datetime) -> DomainEvent:
    """Return the event of a payout that is new, or has changed."""
    data = {"provider": payout.provider, "status": payout.status.value, "amount": json_of(payout.amount)}
    return DomainEvent("PayoutChanged", f"payout/{payout.id}", version, data, at)
