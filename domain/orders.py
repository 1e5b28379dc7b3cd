"""Orders: lines, totals, status and the allowed status changes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from domain.checkout import Address, NewOrder, OrderAttributes
from domain.common.errors import InvalidState
from domain.common.model import Model, Timestamp
from domain.common.money import Money
from domain.pricing import ChargeKind

SYSTEM = "system"
"""Actor recorded for automatic status changes."""


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
    PAID = "paid"
    REFUNDED = "refunded"


class FulfillmentStatus(StrEnum):
    """What has been shipped of an order."""

    UNFULFILLED = "unfulfilled"
    SHIPPED = "shipped"
    DELIVERED = "delivered"


_PAYMENT = {
    OrderStatus.PAID: PaymentStatus.PAID,
    OrderStatus.SHIPPED: PaymentStatus.PAID,
    OrderStatus.DELIVERED: PaymentStatus.PAID,
    OrderStatus.REFUNDED: PaymentStatus.REFUNDED,
}
_FULFILLMENT = {
    OrderStatus.SHIPPED: FulfillmentStatus.SHIPPED,
    OrderStatus.DELIVERED: FulfillmentStatus.DELIVERED,
}


class StockEffect(StrEnum):
    """Effect of a status change on the units reserved for an order."""

    NONE = "leave"
    RESERVE = "reserve"
    RELEASE = "release"
    TAKE = "take"


MOVES: dict[tuple[OrderStatus, OrderStatus], StockEffect] = {
    (OrderStatus.PENDING, OrderStatus.PAID): StockEffect.NONE,
    (OrderStatus.PENDING, OrderStatus.CANCELLED): StockEffect.RELEASE,
    (OrderStatus.PENDING, OrderStatus.EXPIRED): StockEffect.RELEASE,
    (OrderStatus.PAID, OrderStatus.SHIPPED): StockEffect.TAKE,
    (OrderStatus.PAID, OrderStatus.REFUNDED): StockEffect.RELEASE,
    (OrderStatus.SHIPPED, OrderStatus.DELIVERED): StockEffect.NONE,
}
"""Allowed status changes and their effect on stock. Placing an order reserves its units."""


def effect_of(current: OrderStatus, wanted: OrderStatus) -> StockEffect:
    """Return the effect of a status change on stock. Raises InvalidState if the change is not allowed."""
    effect = MOVES.get((current, wanted))
    if effect is None:
        raise InvalidState(f"An order that is {current} cannot become {wanted}.")
    return effect


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units reserved for an order in one shard of an item's stock."""

    item_id: str
    shard: int
    units: int


class OrderLine(Model):
    """Units of one item, at its price when the order was placed. `total` is that of all units, before discount."""

    item_id: str
    sku: str | None
    name: str
    quantity: int
    unit_price: Money
    discount: Money
    """Share of the order's discounts."""
    tax_rate: str | None
    tax: Money
    total: Money
    shipped: int = 0
    """Units that have been shipped."""
    returned: int = 0
    """Units that have been returned."""


class Charge(Model):
    """A charge of an order; `discount` is its share of the order's discounts. Discounts have no tax."""

    kind: ChargeKind
    label: str
    amount: Money
    discount: Money
    tax_rate: str | None
    tax: Money


class TaxSum(Model):
    """Tax of an order at one rate."""

    name: str
    rate: str
    amount: Money


class Amounts(Model):
    """Lines, charges and totals of an order. `total` is what is to be paid, with tax."""

    lines: list[OrderLine]
    charges: list[Charge]
    taxes: list[TaxSum]
    prices_include_tax: bool
    subtotal: Money
    """Sum of the lines' totals."""
    discount_total: Money
    shipping_total: Money
    tax_total: Money
    total: Money


class Quote(Amounts):
    """What an order would come to."""


class StatusChange(Model):
    """An entry of an order's history: the status, the time, and the user who set it (an id, or `system`)."""

    status: OrderStatus
    at: Timestamp
    by: str


class OrderSummary(Model):
    """An order as shown in lists."""

    id: str
    customer_id: str
    status: OrderStatus
    payment_status: PaymentStatus
    fulfillment_status: FulfillmentStatus
    prices_include_tax: bool
    subtotal: Money
    discount_total: Money
    shipping_total: Money
    tax_total: Money
    total: Money
    refunded_total: Money
    attributes: OrderAttributes
    note: str | None
    hold_expires_at: Timestamp | None
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class Order(OrderSummary):
    """An order. While it is pending, its units are reserved until `hold_expires_at`, which is null in other states."""

    lines: list[OrderLine]
    charges: list[Charge]
    taxes: list[TaxSum]
    shipping_address: Address | None
    history: list[StatusChange]

    @classmethod
    def placed(
        cls, order_id: str, new: NewOrder, amounts: Amounts, *, by: str, at: datetime, hold_expires_at: datetime
    ) -> Self:
        """Return the first version of an order with these amounts, of the customer that it names or else of `by`."""
        return cls(
            **{name: getattr(amounts, name) for name in Amounts.model_fields},
            id=order_id,
            customer_id=new.customer_id or by,
            status=OrderStatus.PENDING,
            **shown_by(OrderStatus.PENDING, amounts.total),
            shipping_address=new.shipping_address,
            attributes=new.attributes,
            note=new.note,
            hold_expires_at=hold_expires_at,
            version=1,
            created_at=at,
            updated_at=at,
            history=[StatusChange(status=OrderStatus.PENDING, at=at, by=by)],
        )

    def moved(self, wanted: OrderStatus, by: str, at: datetime) -> "Order":
        """Return the order with status `wanted`. Raises InvalidState if the change is not allowed.

        That includes payment after the reservation has ended, and expiry before.
        """
        effect_of(self.status, wanted)
        if wanted is OrderStatus.PAID and self.is_due(at):
            raise InvalidState("The time to pay is over, and the order is about to expire.")
        if wanted is OrderStatus.EXPIRED and not self.is_due(at):
            raise InvalidState("The order still holds its stock.")
        at = max(at, self.updated_at)
        changes = shown_by(wanted, self.total) | {
            "status": wanted,
            "lines": [shipped_as(line, wanted) for line in self.lines],
            "hold_expires_at": None,
            "version": self.version + 1,
            "updated_at": at,
            "history": [*self.history, StatusChange(status=wanted, at=at, by=by)],
        }
        return self.model_copy(update=changes)

    def is_due(self, at: datetime) -> bool:
        """Return whether the order is pending and its reservation has ended at `at`."""
        return self.hold_expires_at is not None and self.hold_expires_at <= at


def shipped_as(line: OrderLine, status: OrderStatus) -> OrderLine:
    """Return a line of an order with a status, with the units that have been shipped."""
    return line.model_copy(update={"shipped": line.quantity}) if status in _FULFILLMENT else line


def shown_by(status: OrderStatus, total: Money) -> dict[str, Any]:
    """Return the fields of an order that follow from its status: what was paid, refunded and shipped of its total."""
    payment = _PAYMENT.get(status, PaymentStatus.UNPAID)
    refunded = total.minor if payment is PaymentStatus.REFUNDED else 0
    return {
        "payment_status": payment,
        "fulfillment_status": _FULFILLMENT.get(status, FulfillmentStatus.UNFULFILLED),
        "refunded_total": Money.of_minor(refunded, total.currency),
    }
