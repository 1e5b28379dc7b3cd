"""Rows of orders and their payments.

Fields of an order that lists do not show are compressed: writes are charged by the KB, and an order of three items fits
one.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.orders import Order, OrderLine, OrderSummary, Reservation, StatusChange
from domain.payments import Payment
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Position
from repositories.dynamodb.work_list import Work

COLLECTION = "ORDER"


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order as it is stored, with its reservations."""

    order: Order
    holds: tuple[Reservation, ...]

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the order of a row."""
        head, detail = row["head"], json.loads(zlib.decompress(row["detail"]))
        lines, holds = [], []
        for item_id, sku, name, quantity, price, reserved in detail["lines"]:
            lines.append(OrderLine.of(item_id, sku, name, quantity, Money.of_minor(price, head["currency"])))
            holds += [Reservation(item_id, shard, units) for shard, units in reserved]
        history = [StatusChange(status=status, at=at, by=by) for status, at, by in detail["history"]]
        order = Order(**_shown(head), lines=lines, note=detail["note"], history=history)
        return cls(order, tuple(holds))


def order_to_row(tenant: str, order: Order, holds: Sequence[Reservation]) -> Row:
    """Return the row of an order. While the order is pending, the row is on the work list (gsi3)."""
    at = Position(to_rfc3339(order.created_at), order.id)
    head = {
        "id": order.id,
        "customer_id": order.customer_id,
        "status": order.status.value,
        "total": order.total.minor,
        "currency": order.total.currency,
        "hold_expires_at": order.hold_expires_at and to_rfc3339(order.hold_expires_at),
        "version": order.version,
        "created_at": at.at,
        "updated_at": to_rfc3339(order.updated_at),
    }
    return new_row(
        keys.order(tenant, order.id),
        "order",
        head=head,
        version=order.version,
        detail=_detail(order, holds),
        **keys.listed(tenant, COLLECTION, at),
        **keys.listed_below(keys.customers_orders(tenant, order.customer_id), at),
        **(keys.due(Work.HOLD, order.id, order.hold_expires_at) if order.hold_expires_at else {}),
    )


def _detail(order: Order, holds: Sequence[Reservation]) -> bytes:
    reserved: dict[str, list[list[int]]] = defaultdict(list)
    for hold in holds:
        reserved[hold.item_id].append([hold.shard, hold.units])
    lines = [
        [line.item_id, line.sku, line.name, line.quantity, line.unit_price.minor, reserved[line.item_id]]
        for line in order.lines
    ]
    history = [[step.status.value, to_rfc3339(step.at), step.by] for step in order.history]
    return zlib.compress(json.dumps({"lines": lines, "history": history, "note": order.note}).encode())


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


def summary_from_row(row: Row) -> OrderSummary:
    """Return an order as lists show it."""
    return OrderSummary(**_shown(row["head"]))


def _shown(head: Row) -> dict[str, Any]:
    fields = dict(head)
    fields["total"] = Money.of_minor(head["total"], fields.pop("currency"))
    return fields
