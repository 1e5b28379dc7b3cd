"""Rows of orders."""

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any, Self

from domain.common.model import attributes_json, to_rfc3339
from domain.common.money import Money
from domain.orders.amounts import AppliedDiscount
from domain.orders.order import Order, OrderSummary
from domain.orders.status import FulfillmentStatus, OrderStatus, PaymentStatus, payment_status, usual_fulfillment
from domain.stock import Reservation
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Position
from repositories.dynamodb.work_list import Work
from repositories.orders.detail import pack, unpack

COLLECTION = "ORDER"
_ASKED_AGAIN = timedelta(minutes=1)
"""Time after which a provider is asked again for a refund."""


@dataclass(frozen=True, slots=True)
class PaidBy:
    """The payment that has paid an order, or that has locked it and is being captured."""

    payment_id: str
    provider: str
    transaction_id: str | None = None
    """Id of the ledger transaction; none while it is being captured, or if nothing was posted."""
    refund: Row | None = None
    """A refund that its provider is asked for; until that is decided, there can be no other one."""

    @classmethod
    def from_row(cls, row: Row) -> Self | None:
        """Return the payment that the row of an order names, if it names one."""
        return cls(*row["paid_by"]) if "paid_by" in row else None


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order as it is stored, with the reservations that were made for it, and its payment."""

    order: Order
    holds: tuple[Reservation, ...]
    paid_by: PaidBy | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the order of a row."""
        head = row["head"]
        return cls(*unpack(row["detail"], _shown(head), head["currency"]), PaidBy.from_row(row))


def order_to_row(tenant: str, order: Order, holds: Sequence[Reservation], paid_by: PaidBy | None = None) -> Row:
    """Return the row of an order. While the order is pending, the row is on the work list (gsi3)."""
    at = Position(to_rfc3339(order.created_at), order.id)
    return new_row(
        keys.order(tenant, order.id),
        "order",
        head=_head(order),
        version=order.version,
        detail=pack(order, holds),
        **keys.listed(tenant, COLLECTION, at),
        **keys.listed_below(keys.customers_orders(tenant, order.customer_id), at),
        **(_paid_by(order, paid_by) if paid_by else {}),
        **(work_keys.due(Work.HOLD, order.id, order.hold_expires_at) if order.hold_expires_at else {}),
    )


def _paid_by(order: Order, paid_by: PaidBy) -> Row:
    """Return what the row of an order has of its payment; while a refund is open, it is on the work list."""
    stored: Row = {"paid_by": [*astuple(paid_by)]}
    if paid_by.refund:
        return stored | work_keys.due(Work.REFUND, order.id, order.updated_at + _ASKED_AGAIN)
    return stored


def _head(order: Order) -> Row:
    """Return what lists show of an order; fields that have their usual value are left out."""
    head: Row = {
        "id": order.id,
        "customer_id": order.customer_id,
        "status": order.status.value,
        "total": order.total.minor,
        "currency": order.total.currency,
        "hold_expires_at": order.hold_expires_at and to_rfc3339(order.hold_expires_at),
        "version": order.version,
        "created_at": to_rfc3339(order.created_at),
        "updated_at": to_rfc3339(order.updated_at),
    }
    sums = [order.subtotal.minor, order.discount_total.minor, order.shipping_total.minor, order.tax_total.minor]
    if sums != [order.total.minor, 0, 0, 0]:
        head["sums"] = sums
    if order.refunded_total.minor != _usually_refunded(order.status, order.total.minor):
        head["refunded"] = order.refunded_total.minor
    if order.fulfillment_status is not usual_fulfillment(order.status):
        head["fulfillment"] = order.fulfillment_status.value
    optional = {
        "discount": order.discount and [order.discount.id, order.discount.code, order.discount.amount.minor],
        "prices_include_tax": order.prices_include_tax,
        "attributes": order.attributes and attributes_json(order.attributes),
        "is_authorizing": order.payment_status is PaymentStatus.AUTHORIZING,
        "note": order.note,
    }
    return head | {name: value for name, value in optional.items() if value}


def _usually_refunded(status: OrderStatus, total: int) -> int:
    return total if status is OrderStatus.REFUNDED else 0


def summary_from_row(row: Row) -> OrderSummary:
    """Return an order as lists show it."""
    return OrderSummary(**_shown(row["head"]))


def _shown(head: Row) -> dict[str, Any]:
    """Return the fields of a summary."""
    fields = dict(head)
    currency, status = fields.pop("currency"), OrderStatus(head["status"])
    sums = fields.pop("sums", [head["total"], 0, 0, 0])
    is_authorizing = fields.pop("is_authorizing", False)
    refunded = fields.pop("refunded", _usually_refunded(status, head["total"]))
    for name, minor in zip(_SUMS, (*sums, head["total"], refunded), strict=True):
        fields[name] = Money.of_minor(minor, currency)
    return fields | {
        "status": status,
        "payment_status": PaymentStatus.AUTHORIZING if is_authorizing else payment_status(status, refunded),
        "fulfillment_status": FulfillmentStatus(fields.pop("fulfillment", usual_fulfillment(status))),
        "discount": _discount(head.get("discount"), currency),
        "prices_include_tax": head.get("prices_include_tax", False),
        "attributes": json.loads(head.get("attributes", "{}")),
        "note": head.get("note"),
    }


def _discount(stored: Sequence[Any] | None, currency: str) -> AppliedDiscount | None:
    if stored is None:
        return None
    discount_id, code, amount = stored
    return AppliedDiscount(id=discount_id, code=code, amount=Money.of_minor(amount, currency))


_SUMS = ("subtotal", "discount_total", "shipping_total", "tax_total", "total", "refunded_total")
