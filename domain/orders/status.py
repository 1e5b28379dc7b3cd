"""Status of an order: the allowed changes, and what was paid and shipped."""

from enum import StrEnum

from domain.common.errors import InvalidState


class OrderStatus(StrEnum):
    """Status of an order."""

    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class PaymentStatus(StrEnum):
    """What has been paid of an order."""

    UNPAID = "unpaid"
    AUTHORIZING = "authorizing"
    """A payment by a provider is being captured; until that is decided, the order can only wait."""
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"


class FulfillmentStatus(StrEnum):
    """What has been shipped of an order."""

    UNFULFILLED = "unfulfilled"
    PARTIALLY_SHIPPED = "partially_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


MOVES: frozenset[tuple[OrderStatus, OrderStatus]] = frozenset(
    {
        (OrderStatus.PENDING, OrderStatus.PAID),
        (OrderStatus.PENDING, OrderStatus.CANCELLED),
        (OrderStatus.PENDING, OrderStatus.EXPIRED),
        (OrderStatus.PAID, OrderStatus.SHIPPED),
        (OrderStatus.PAID, OrderStatus.REFUNDED),
        (OrderStatus.SHIPPED, OrderStatus.DELIVERED),
        (OrderStatus.SHIPPED, OrderStatus.REFUNDED),
        (OrderStatus.DELIVERED, OrderStatus.REFUNDED),
    }
)
"""Allowed status changes."""
UNPAID = frozenset({OrderStatus.PENDING, OrderStatus.CANCELLED, OrderStatus.EXPIRED})
"""Statuses of orders that have not been paid."""
ENDED_UNPAID = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})
"""Statuses of orders that ended without payment: they hold no stock and no use of a discount code."""


def require_move(current: OrderStatus, wanted: OrderStatus) -> None:
    """Raise InvalidState if a status change is not allowed."""
    if (current, wanted) not in MOVES:
        raise InvalidState(f"An order that is {current} cannot become {wanted}.")


def payment_status(status: OrderStatus, refunded: int) -> PaymentStatus:
    """Return what has been paid of an order with a status, of which `refunded` minor units were refunded."""
    if status in UNPAID:
        return PaymentStatus.UNPAID
    if status is OrderStatus.REFUNDED:
        return PaymentStatus.REFUNDED
    return PaymentStatus.PARTIALLY_REFUNDED if refunded else PaymentStatus.PAID


def usual_fulfillment(status: OrderStatus) -> FulfillmentStatus:
    """Return what has been shipped of an order with a status that was shipped and refunded as a whole."""
    if status is OrderStatus.SHIPPED:
        return FulfillmentStatus.SHIPPED
    return FulfillmentStatus.DELIVERED if status is OrderStatus.DELIVERED else FulfillmentStatus.UNFULFILLED
