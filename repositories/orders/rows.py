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

from domain.common.model import attributes_json, to_rfc3339
from domain.common.money import Money
from domain.orders import (
    Charge,
    Order,
    OrderLine,
    OrderStatus,
    OrderSummary,
    PaymentStatus,
    Reservation,
    StatusChange,
    TaxSum,
    shipped_as,
    shown_by,
)
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
        shown, currency = _shown(head), head["currency"]
        lines, holds = [], []
        for item_id, sku, name, quantity, price, reserved, *extra in detail["lines"]:
            line = OrderLine(
                item_id=item_id,
                sku=sku,
                name=name,
                quantity=quantity,
                unit_price=Money.of_minor(price, currency),
                total=Money.of_minor(price * quantity, currency),
                **_discount_and_tax(extra, currency),
            )
            lines.append(shipped_as(line, shown["status"]))
            holds += [Reservation(item_id, shard, units) for shard, units in reserved]
        history = [StatusChange(status=status, at=at, by=by) for status, at, by in detail["history"]]
        order = Order(
            **shown,
            lines=lines,
            charges=[_charge(each, currency) for each in detail.get("charges", ())],
            taxes=[
                TaxSum(name=name, rate=rate, amount=Money.of_minor(amount, currency))
                for name, rate, amount in detail.get("taxes", ())
            ],
            shipping_address=detail.get("address"),
            history=history,
        )
        return cls(order, tuple(holds))


def _discount_and_tax(extra: Sequence[Any], currency: str) -> dict[str, Any]:
    discount, rate, tax = extra or (0, None, 0)
    return {
        "discount": Money.of_minor(discount, currency),
        "tax_rate": rate,
        "tax": Money.of_minor(tax, currency),
    }


def _charge(stored: Sequence[Any], currency: str) -> Charge:
    kind, label, amount, *extra = stored
    money = Money.of_minor(amount, currency)
    return Charge(kind=kind, label=label, amount=money, **_discount_and_tax(extra, currency))


def _stored_discount_and_tax(part: OrderLine | Charge) -> list[Any]:
    """Return discount, rate and tax of a line or charge as it is stored; nothing if there are none."""
    if not part.discount.minor and part.tax_rate is None:
        return []
    return [part.discount.minor, part.tax_rate, part.tax.minor]


def order_to_row(tenant: str, order: Order, holds: Sequence[Reservation]) -> Row:
    """Return the row of an order. While the order is pending, the row is on the work list (gsi3)."""
    at = Position(to_rfc3339(order.created_at), order.id)
    head: Row = {
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
    sums = [order.subtotal.minor, order.discount_total.minor, order.shipping_total.minor, order.tax_total.minor]
    if sums != [order.total.minor, 0, 0, 0]:
        head["sums"] = sums
    if order.prices_include_tax:
        head["prices_include_tax"] = True
    if order.attributes:
        head["attributes"] = attributes_json(order.attributes)
    if order.note is not None:
        head["note"] = order.note
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
    detail: dict[str, Any] = {
        "lines": [
            [
                line.item_id,
                line.sku,
                line.name,
                line.quantity,
                line.unit_price.minor,
                reserved[line.item_id],
                *_stored_discount_and_tax(line),
            ]
            for line in order.lines
        ],
        "history": [[step.status.value, to_rfc3339(step.at), step.by] for step in order.history],
    }
    if order.charges:
        detail["charges"] = [
            [each.kind.value, each.label, each.amount.minor, *_stored_discount_and_tax(each)] for each in order.charges
        ]
    if order.taxes:
        detail["taxes"] = [[each.name, each.rate, each.amount.minor] for each in order.taxes]
    if order.shipping_address:
        detail["address"] = order.shipping_address.model_dump(mode="json", exclude_none=True)
    return zlib.compress(json.dumps(detail).encode())


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
    """Return the payment of a row. It is refunded once its order is."""
    refunded = order.payment_status is PaymentStatus.REFUNDED
    return Payment(
        id=row["id"],
        order_id=order.id,
        provider=row["provider"],
        status="refunded" if refunded else row["status"],
        amount=Money.of_minor(row["amount"], row["currency"]),
        reference=row["reference"],
        transaction_id=row["transaction_id"],
        created_at=row["created_at"],
    )


def summary_from_row(row: Row) -> OrderSummary:
    """Return an order as lists show it."""
    return OrderSummary(**_shown(row["head"]))


def _shown(head: Row) -> dict[str, Any]:
    """Return the fields of a summary."""
    fields = dict(head)
    currency, status = fields.pop("currency"), OrderStatus(head["status"])
    sums = fields.pop("sums", [head["total"], 0, 0, 0])
    for name, minor in zip(_SUMS, (*sums, head["total"]), strict=True):
        fields[name] = Money.of_minor(minor, currency)
    return fields | {
        "status": status,
        **shown_by(status, fields["total"]),
        "prices_include_tax": head.get("prices_include_tax", False),
        "attributes": json.loads(head.get("attributes", "{}")),
        "note": head.get("note"),
    }


_SUMS = ("subtotal", "discount_total", "shipping_total", "tax_total", "total")
