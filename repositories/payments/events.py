"""Events of payments."""

from domain.common.events import DomainEvent
from domain.common.model import json_of
from repositories.payments.rows import StoredPayment


def payment_event(payment: StoredPayment) -> DomainEvent:
    """Return the event of a payment that was begun, or is at another stage."""
    data = {"order_id": payment.order_id, "provider": payment.provider, "amount": json_of(payment.amount)}
    return DomainEvent(f"Payment{payment.stage.title()}", payment.id, payment.version, data, payment.updated_at)
