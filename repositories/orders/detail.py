"""Compressed part of an order's row: what lists do not show.

Writes are charged by the KB, and an order of three items fits one. What is as usual is left out.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from domain.common.ids import is_id
from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.orders.amounts import Charge, OrderLine, TaxSum
from domain.orders.order import Order, StatusChange
from domain.orders.parts import Refund, RefundLine, Shipment, ShipmentLine
from domain.orders.status import OrderStatus
from domain.stock import Reservation

_UNITS = ("shipped", "returned", "freed", "restocked")
"""Counters of a line's units, in the order in which they are stored."""


def pack(order: Order, holds: Sequence[Reservation]) -> bytes:
    """Return the compressed part of an order's row, with its reservations."""
    reserved: dict[str, list[list[int]]] = defaultdict(list)
    for hold in holds:
        reserved[hold.item_id].append([hold.shard, hold.units])
    optional = {
        "units": {str(n): _units(line) for n, line in enumerate(order.lines) if _units(line) != _usual(line, order)},
        "charges": [[each.kind.value, each.label, each.amount.minor, *_taxed(each)] for each in order.charges],
        "taxes": [[each.name, each.rate, each.amount.minor] for each in order.taxes],
        "address": order.shipping_address and order.shipping_address.model_dump(mode="json", exclude_none=True),
        "shipments": [_shipment(each, order) for each in order.shipments],
        "refunds": [_refund(each, order) for each in order.refunds],
    }
    detail = {
        "lines": [[*_line(line), reserved[line.item_id], *_taxed(line)] for line in order.lines],
        "history": [[step.status.value, to_rfc3339(step.at), step.by] for step in order.history],
    } | {name: value for name, value in optional.items() if value}
    return zlib.compress(json.dumps(detail).encode())


def unpack(packed: bytes, shown: dict[str, Any], currency: str) -> tuple[Order, tuple[Reservation, ...]]:
    """Return an order and its reservations; `shown` has the fields of its summary."""
    detail = json.loads(zlib.decompress(packed))
    lines, holds = [], []
    units = detail.get("units", {})
    for number, (item_id, sku, name, quantity, price, reserved, *extra) in enumerate(detail["lines"]):
        line = OrderLine(
            item_id=item_id,
            booking_id=item_id if is_id("booking", item_id) else None,
            sku=sku,
            name=name,
            quantity=quantity,
            unit_price=Money.of_minor(price, currency),
            total=Money.of_minor(price * quantity, currency),
            **_discount_and_tax(extra, currency),
        )
        counts = units.get(str(number)) or usual_units(shown["status"], quantity)
        lines.append(line.plus(**dict(zip(_UNITS, counts, strict=True))) if any(counts) else line)
        holds += [Reservation(item_id, shard, count) for shard, count in reserved]
    ids = [line.item_id for line in lines]
    order = Order(
        **shown,
        lines=lines,
        charges=[_charge(each, currency) for each in detail.get("charges", ())],
        taxes=[
            TaxSum(name=name, rate=rate, amount=Money.of_minor(amount, currency))
            for name, rate, amount in detail.get("taxes", ())
        ],
        shipping_address=detail.get("address"),
        shipments=[_to_shipment(each, shown["id"], ids) for each in detail.get("shipments", ())],
        refunds=[_to_refund(each, shown["id"], ids, currency) for each in detail.get("refunds", ())],
        history=[StatusChange(status=status, at=at, by=by) for status, at, by in detail["history"]],
    )
    return order, tuple(holds)


def usual_units(status: OrderStatus, quantity: int) -> list[int]:
    """Return the counters of a line of an order with a status that was shipped or refunded as a whole."""
    if status in {OrderStatus.SHIPPED, OrderStatus.DELIVERED}:
        return [quantity, 0, 0, 0]
    return [0, quantity, quantity, 0] if status is OrderStatus.REFUNDED else [0, 0, 0, 0]


def _usual(line: OrderLine, order: Order) -> list[int]:
    return usual_units(order.status, line.quantity)


def _units(line: OrderLine) -> list[int]:
    return [line.shipped, line.returned, line.freed, line.restocked]


def _line(line: OrderLine) -> list[Any]:
    return [line.item_id, line.sku, line.name, line.quantity, line.unit_price.minor]


def _taxed(part: OrderLine | Charge) -> list[Any]:
    """Return discount, rate and tax of a line or charge; nothing if there are none."""
    if not part.discount.minor and part.tax_rate is None:
        return []
    return [part.discount.minor, part.tax_rate, part.tax.minor]


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


def _shipment(each: Shipment, order: Order) -> list[Any]:
    numbers = {line.item_id: n for n, line in enumerate(order.lines)}
    lines = [[numbers[line.item_id], line.quantity] for line in each.lines]
    return [each.id, to_rfc3339(each.created_at), lines, each.carrier, each.tracking_number]


def _to_shipment(stored: Sequence[Any], order_id: str, ids: Sequence[str]) -> Shipment:
    shipment_id, at, lines, carrier, tracking_number = stored
    return Shipment(
        id=shipment_id,
        order_id=order_id,
        lines=[ShipmentLine(item_id=ids[number], quantity=units) for number, units in lines],
        carrier=carrier,
        tracking_number=tracking_number,
        created_at=at,
    )


def _refund(each: Refund, order: Order) -> list[Any]:
    numbers = {line.item_id: n for n, line in enumerate(order.lines)}
    lines = [[numbers[line.item_id], line.quantity, int(line.restock)] for line in each.lines]
    at = to_rfc3339(each.created_at)
    return [each.id, at, each.amount.minor, lines, int(each.shipping), each.reason, each.transaction_id, *each.debits]


def _to_refund(stored: Sequence[Any], order_id: str, ids: Sequence[str], currency: str) -> Refund:
    refund_id, at, amount, lines, shipping, reason, transaction_id, *debits = stored
    return Refund(
        id=refund_id,
        order_id=order_id,
        amount=Money.of_minor(amount, currency),
        lines=[RefundLine(item_id=ids[n], quantity=units, restock=bool(restock)) for n, units, restock in lines],
        shipping=bool(shipping),
        reason=reason,
        transaction_id=transaction_id,
        created_at=at,
        debits=tuple(debits),
    )
