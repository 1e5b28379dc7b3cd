"""Orders: their state, and how it changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

from domain.common.errors import InvalidState, PaymentInProgress
from domain.common.model import Model, Timestamp
from domain.common.money import Money
from domain.orders.amounts import Amounts, AppliedDiscount, Charge, OrderLine, TaxSum, shipped_of
from domain.orders.checkout import Address, NewOrder, OrderAttributes
from domain.orders.parts import Refund, Shipment
from domain.orders.status import (
    FulfillmentStatus,
    OrderStatus,
    PaymentStatus,
    payment_status,
    require_move,
    usual_fulfillment,
)


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
    discount: AppliedDiscount | None
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
    shipments: list[Shipment]
    refunds: list[Refund]
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
            payment_status=PaymentStatus.UNPAID,
            fulfillment_status=FulfillmentStatus.UNFULFILLED,
            refunded_total=Money.of_minor(0, amounts.total.currency),
            shipping_address=new.shipping_address,
            attributes=new.attributes,
            note=new.note,
            hold_expires_at=hold_expires_at,
            shipments=[],
            refunds=[],
            version=1,
            created_at=at,
            updated_at=at,
            history=[StatusChange(status=OrderStatus.PENDING, at=at, by=by)],
        )

    def moved(self, wanted: OrderStatus, by: str, at: datetime) -> "Order":
        """Return the order with status `wanted`. Raises InvalidState if the change is not allowed.

        That includes payment after the reservation has ended, and expiry before. Raises PaymentInProgress while a
        payment is being captured.
        """
        require_move(self.status, wanted)
        if self.payment_status is PaymentStatus.AUTHORIZING:
            raise PaymentInProgress("A payment of the order is being captured. Read the order again in a moment.")
        if wanted is OrderStatus.PAID and self.is_due(at):
            raise InvalidState("The time to pay is over, and the order is about to expire.")
        if wanted is OrderStatus.EXPIRED and not self.is_due(at):
            raise InvalidState("The order still holds its stock.")
        return self.changed(by, at, status=wanted)

    def locked(self, by: str, at: datetime) -> "Order":
        """Return the pending order while a payment is being captured: its reservation does not end."""
        return self.changed(by, at).model_copy(update={"payment_status": PaymentStatus.AUTHORIZING})

    def reopened(self, by: str, at: datetime, until: datetime) -> "Order":
        """Return the pending order after its payment was refused; its reservation ends at `until`."""
        return self.changed(by, at).model_copy(update={"hold_expires_at": until})

    def paid(self, by: str, at: datetime) -> "Order":
        """Return the order after its payment was captured. Raises InvalidState if it is not pending."""
        require_move(self.status, OrderStatus.PAID)
        return self.changed(by, at, status=OrderStatus.PAID)

    def changed(self, by: str, at: datetime, status: OrderStatus | None = None, **changes: Any) -> "Order":
        """Return the next version of the order, with changes; what was paid and shipped follows from them."""
        status, at = status or self.status, max(at, self.updated_at)
        if status is not self.status:
            changes["history"] = [*self.history, StatusChange(status=status, at=at, by=by)]
        lines, refunded = changes.get("lines", self.lines), changes.get("refunded_total", self.refunded_total)
        return self.model_copy(
            update=changes
            | {
                "status": status,
                "payment_status": payment_status(status, refunded.minor),
                "fulfillment_status": self._fulfillment(status, lines),
                "hold_expires_at": None,
                "version": self.version + 1,
                "updated_at": at,
            }
        )

    def _fulfillment(self, status: OrderStatus, lines: Sequence[OrderLine]) -> FulfillmentStatus:
        delivered = FulfillmentStatus.DELIVERED
        if delivered in {usual_fulfillment(status), self.fulfillment_status}:
            return delivered
        return shipped_of(lines)

    def is_due(self, at: datetime) -> bool:
        """Return whether the order is pending and its reservation has ended at `at`."""
        return self.hold_expires_at is not None and self.hold_expires_at <= at

    @property
    def booking_ids(self) -> list[str]:
        """Ids of the bookings that are lines of the order."""
        return [line.booking_id for line in self.lines if line.booking_id]

    @property
    def unrefunded(self) -> int:
        """Minor units of the total that have not been refunded."""
        return self.total.minor - self.refunded_total.minor
