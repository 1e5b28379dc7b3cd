"""Data of events of orders, payments, disputes and payouts."""

from domain.common.money import Money
from domain.event_data.base import EventData
from domain.orders.status import FulfillmentStatus, OrderStatus
from domain.payments.settlement import DisputeStatus, PayoutStatus


class OrderPlaced(EventData):
    """An order was placed and its units reserved."""

    customer_id: str
    total: Money


class OrderData(EventData):
    """Status of an order after a change."""

    status: OrderStatus
    fulfillment_status: FulfillmentStatus


class OrderPaid(OrderData):
    """An order was paid."""

    payment_id: str


class OrderPaying(OrderPaid):
    """A payment of an order is being captured: its units stay reserved until that is decided."""


class OrderReopened(OrderPaid):
    """A payment of an order was refused while it was captured: it can be paid otherwise."""


class OrderCancelled(OrderData):
    """An order was cancelled and its units released."""


class OrderExpired(OrderData):
    """An order was not paid in time; its units were released."""


class OrderPartiallyShipped(OrderData):
    """Units of an order were shipped, and others remain to be."""

    shipment_id: str


class OrderShipped(OrderPartiallyShipped):
    """All units of an order that remained were shipped."""


class OrderDelivered(OrderData):
    """An order was delivered."""


class OrderRefunding(OrderData):
    """A payment provider is asked to refund a part of an order's payment, or all of it."""

    refund_id: str
    amount: Money


class OrderRefundFailed(OrderRefunding):
    """A payment provider refused a refund: nothing was refunded."""

    reason: str


class OrderPartiallyRefunded(OrderData):
    """A part of an order's payment was refunded."""

    refund_id: str
    amount: Money
    reason: str | None


class OrderRefunded(OrderPartiallyRefunded):
    """All that was left of an order's payment was refunded."""


class PaymentProviderChanged(EventData):
    """The credentials of a payment provider were set, or it was turned on or off."""


class PaymentProviderRemoved(EventData):
    """The credentials of a payment provider were deleted."""


class DisputeChanged(EventData):
    """A customer has disputed a payment, or a dispute has another status."""

    provider: str
    status: DisputeStatus
    payment_id: str | None
    amount: Money


class PayoutChanged(EventData):
    """A payment provider has paid out money, or a payout has another status."""

    provider: str
    status: PayoutStatus
    amount: Money


class PaymentData(EventData):
    """The order of a payment, who collects it, and its amount."""

    order_id: str
    provider: str
    amount: Money


class PaymentStarted(PaymentData):
    """A payment by a provider was begun."""


class PaymentCreated(PaymentData):
    """A payment is ready to be confirmed by the customer."""


class PaymentCapturing(PaymentData):
    """A payment was confirmed, and is being captured."""


class PaymentCaptured(PaymentData):
    """A payment was captured: its order is paid."""


class PaymentVoiding(PaymentData):
    """A payment is not wanted any more, and is being voided."""


class PaymentVoided(PaymentData):
    """Nothing came of a payment."""


class PaymentReturning(PaymentData):
    """The money of a payment came too late, and is being given back."""


class PaymentReturned(PaymentData):
    """The money of a payment that came too late was given back."""


class PaymentFailed(PaymentData):
    """A payment was refused by its provider."""
