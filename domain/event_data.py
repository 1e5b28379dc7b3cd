"""Data of each kind of event."""

from domain.common.model import Model
from domain.common.money import Money
from domain.exports import Dataset, ExportFormat
from domain.identity.permissions import Role
from domain.orders.status import FulfillmentStatus, OrderStatus
from domain.payments.settlement import DisputeStatus, PayoutStatus


class EventData(Model):
    """Data of a kind of event, which has the name of its class."""


class TenantCreated(EventData):
    """A tenant was added."""


class TenantChanged(EventData):
    """A tenant's name, currencies or settings were changed."""


class UserCreated(EventData):
    """A user was added."""

    role: Role


class UserChanged(UserCreated):
    """A user's profile or role was changed."""


class UserDeleted(UserCreated):
    """A user was erased."""


class ItemCreated(EventData):
    """An item was added."""


class ItemChanged(EventData):
    """An item's fields were changed."""


class ItemArchived(EventData):
    """An item was archived."""


class StockAdjusted(EventData):
    """Units of an item were counted in or out. `on_hand` is the number of units afterwards."""

    delta: int
    reason: str
    on_hand: int


class StockSplit(EventData):
    """An item's available units were spread over a number of buckets."""

    buckets: int


class DiscountCreated(EventData):
    """A discount was added."""


class DiscountChanged(EventData):
    """A discount's value or conditions were changed."""


class DiscountArchived(EventData):
    """A discount was archived."""


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


class ExportData(EventData):
    """What is exported, and in which format."""

    dataset: Dataset
    format: ExportFormat


class ExportCreated(ExportData):
    """An export was asked for."""


class ExportSucceeded(ExportData):
    """The files of an export can be downloaded."""


class ExportFailed(ExportData):
    """An export has failed."""


class ExportCancelled(ExportData):
    """An export was cancelled."""


class AccountOpened(EventData):
    """A ledger account was opened."""


class AccountStriped(EventData):
    """Entries of an account are spread over a number of stripes."""

    stripes: int


class AccountClosed(EventData):
    """A ledger account was closed."""


class TransactionPosted(EventData):
    """A ledger transaction was posted."""


class TransactionReversed(EventData):
    """A ledger transaction was reversed by another one."""

    reversed_by: str


class WebhookCreated(EventData):
    """A webhook endpoint was added."""


class WebhookChanged(EventData):
    """A webhook endpoint was changed."""


class WebhookSecretRotated(EventData):
    """A webhook endpoint got a new secret."""


class WebhookDisabled(EventData):
    """A webhook endpoint was disabled, as deliveries to it failed."""

    reason: str


class WebhookDeleted(EventData):
    """A webhook endpoint was deleted."""


class WebhookTest(EventData):
    """A test was sent to a webhook endpoint. It is sent to that endpoint only, and is not in the feed."""


def _kinds(of: type[EventData]) -> list[type[EventData]]:
    return [each for direct in of.__subclasses__() for each in (direct, *_kinds(direct))]


KINDS: dict[str, type[EventData]] = {
    each.__name__: each for each in _kinds(EventData) if each not in {OrderData, PaymentData, ExportData}
}
"""Data of each kind of event."""
