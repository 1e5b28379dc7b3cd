"""Rows of orders' payments."""

from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.orders.order import Order
from domain.orders.status import PaymentStatus
from domain.payments import Payment
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row

_REFUNDED = {PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED}


def payment_to_row(tenant: str, payment: Payment) -> Row:
    """Return the row of an order's payment."""
    return new_row(
        keys.payment(tenant, payment.order_id, 1),
        "payment",
        id=payment.id,
        provider=payment.provider,
        status=payment.status,
        amount=payment.amount.minor,
        currency=payment.amount.currency,
        reference=payment.reference,
        transaction_id=payment.transaction_id,
        created_at=to_rfc3339(payment.created_at),
    )


def payment_from_row(row: Row, order: Order) -> Payment:
    """Return the payment of a row. It is refunded, or partially refunded, as its order is."""
    refunded = order.payment_status in _REFUNDED
    return Payment(
        id=row["id"],
        order_id=order.id,
        provider=row["provider"],
        status=order.payment_status.value if refunded else row["status"],
        amount=Money.of_minor(row["amount"], row["currency"]),
        reference=row["reference"],
        transaction_id=row["transaction_id"],
        created_at=row["created_at"],
    )
