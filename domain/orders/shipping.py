"""Shipment of an order, in parts or as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.common.errors import InvalidState
from domain.orders.checkout import quantities
from domain.orders.order import Order
from domain.orders.parts import MAX_PARTS, NewShipment, Shipment, ShipmentLine, too_many
from domain.orders.reserved import next_reserved
from domain.orders.status import OrderStatus, require_move
from domain.stock import Reservation, UnitChange, taken


@dataclass(frozen=True, slots=True)
class Shipping:
    """A shipment, the order after it, and the changes of stock."""

    order: Order
    shipment: Shipment
    changes: list[UnitChange]


def ship(
    order: Order, holds: Sequence[Reservation], new: NewShipment, shipment_id: str, by: str, at: datetime
) -> Shipping:
    """Return the shipment of some units of an order, or of all that remain.

    Raises InvalidState if the order is not paid, no units remain, or fewer than are to be shipped.
    """
    require_move(order.status, OrderStatus.SHIPPED)
    wanted = _wanted(order, new)
    complete = all(line.to_ship == wanted.get(line.item_id, 0) for line in order.lines)
    if len(order.shipments) >= MAX_PARTS - 1 and not complete:
        raise InvalidState(f"An order has {MAX_PARTS} shipments at most: ship all that remains.")
    shipment = Shipment(
        id=shipment_id,
        order_id=order.id,
        lines=[ShipmentLine(item_id=item_id, quantity=units) for item_id, units in wanted.items()],
        carrier=new.carrier,
        tracking_number=new.tracking_number,
        created_at=max(at, order.updated_at),
    )
    changes = [
        taken(each)
        for line in order.lines
        for each in next_reserved(holds, line.item_id, line.shipped + line.freed, wanted.get(line.item_id, 0))
    ]
    shipped = order.changed(
        by,
        at,
        status=OrderStatus.SHIPPED if complete else None,
        lines=[line.plus(shipped=wanted.get(line.item_id, 0)) for line in order.lines],
        shipments=[*order.shipments, shipment],
    )
    return Shipping(shipped, shipment, changes)


def _wanted(order: Order, new: NewShipment) -> dict[str, int]:
    """Return the units to ship by item. Raises InvalidState."""
    left = {line.item_id: line.to_ship for line in order.lines}
    if new.lines is None:
        rest = {item_id: units for item_id, units in left.items() if units}
        if not rest:
            raise InvalidState("No units remain to be shipped.")
        return rest
    flaws = too_many(new.lines, left, "TOO_MANY_UNITS")
    if flaws:
        raise InvalidState("Fewer units remain than are to be shipped.", *flaws)
    return quantities(new.lines)
