"""What clients do with parts of orders and with discount codes, and how their answers are judged."""

from typing import Any

from domain.orders.order import Order
from domain.orders.pricing import ChargeKind
from domain.orders.status import UNPAID, OrderStatus
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor, Answer
from tests.simulation.workload.trade import move

CODES: dict[str, dict[str, Any]] = {
    "TEN": {"percent": "10", "max_uses": 4},
    "OFF": {"amount": {"amount": "3.33", "currency": "EUR"}, "max_uses_per_customer": 3},
}
"""Codes of the shop."""


def _order(actor: Actor) -> str | None:
    """Return an order, likely one of the last, or None if there is none."""
    orders, chance = actor.world.orders, actor.world.scheduler.chance
    return str(chance.choice(orders[-3:])) if orders else None


def _seen(actor: Actor, order: str, answer: Answer) -> list[Order]:
    """Return the states that an order may have had while it was asked for."""
    return list(actor.world.watch.history.possible(("whole order", order), answer.since, answer.until))


def _lacks(order: Order, units: str, wanted: list[dict[str, Any]]) -> bool:
    """Return whether an order has fewer units `to_ship`, or `refundable`, than wanted."""
    left = {line.item_id: getattr(line, units) for line in order.lines}
    return any(line["quantity"] > left[line["item_id"]] for line in wanted)


def ship_part(actor: Actor) -> None:
    """Ship a unit or two of an order, or all that remain."""
    order = _order(actor)
    if order is None:
        return None
    chance = actor.world.scheduler.chance
    wanted = None if chance.random() < 0.2 else _lines(actor, order)
    body = {"lines": wanted} if wanted else None
    answer = actor.ask("CreateShipment", {"order_id": order}, body, key=actor.world.mark())
    if answer is None:
        return None
    if answer.status == 201:
        actor.world.promised.append(("part", (order, answer.body["id"])))
        return None
    require(answer.code == "INVALID_STATE", f"CreateShipment was told {answer.code}.")
    refused = any(
        each.status is not OrderStatus.PAID
        or not any(line.to_ship for line in each.lines)
        or _lacks(each, "to_ship", wanted or [])
        for each in _seen(actor, order, answer)
    )
    return require(refused, "CreateShipment was refused, and the order was paid with units that remained.")


def refund_part(actor: Actor) -> None:
    """Refund a unit or two of an order, its shipping, or an amount."""
    order = _order(actor)
    if order is None:
        return None
    chance = actor.world.scheduler.chance
    if chance.random() < 0.3:
        minor = chance.choice((1, 99, 250, 533))
        body: dict[str, Any] = {"amount": {"amount": f"{minor / 100:.2f}", "currency": "EUR"}}
    elif chance.random() < 0.2:
        body = {"shipping": True}
    else:
        restock = chance.random() < 0.5
        body = {"lines": [line | {"restock": restock} for line in _lines(actor, order)]}
    answer = actor.ask("CreateRefund", {"order_id": order}, body, key=actor.world.mark())
    if answer is None:
        return None
    if answer.status == 201:
        actor.world.promised.append(("part", (order, answer.body["id"])))
        return None
    seen = _seen(actor, order, answer)
    if answer.code == "INVALID_STATE":
        unpaid = any(each.status in UNPAID for each in seen)
        return require(unpaid, "CreateRefund was told INVALID_STATE, and the order was always paid.")
    require(answer.code == "REFUND_TOO_LARGE", f"CreateRefund was told {answer.code}.")
    short = any(_is_too_large(each, body) for each in seen)
    return require(short, "CreateRefund was told REFUND_TOO_LARGE, and there was always more left.")


def _is_too_large(order: Order, body: dict[str, Any]) -> bool:
    """Return whether an order has less left than a refund is of; after an amount, any line may be too much."""
    if order.status is OrderStatus.REFUNDED:
        return True
    if "amount" in body:
        return order.unrefunded < round(float(body["amount"]["amount"]) * 100)
    if any(not each.lines and not each.shipping for each in order.refunds):
        return True
    if "lines" in body:
        return _lacks(order, "refundable", body["lines"])
    has_shipping = any(each.kind is ChargeKind.SHIPPING for each in order.charges)
    return not has_shipping or any(each.shipping for each in order.refunds)


def _lines(actor: Actor, order: str) -> list[dict[str, Any]]:
    world = actor.world
    item = world.scheduler.chance.choice(world.watch.items_of[order])
    return [{"item_id": item, "quantity": world.scheduler.chance.choice((1, 1, 2))}]


def change_code(actor: Actor) -> None:
    """Change the limit of a code; seldom archive one."""
    world, chance = actor.world, actor.world.scheduler.chance
    if chance.random() < 0.7 or not world.discounts:
        return move(actor)
    discount = {"discount_id": chance.choice(world.discounts)}
    if chance.random() < 0.1:
        actor.ask("ArchiveDiscount", discount, if_match="*")
        return None
    patch = {"max_uses": chance.choice((2, 5, None)), "max_uses_per_customer": chance.choice((2, 4, None))}
    answer = actor.ask("ChangeDiscount", discount, patch, if_match="*")
    require(answer is None or answer.status == 200 or answer.code == "INVALID_STATE", f"ChangeDiscount: {answer}")
    return None
