"""What clients do with parts of orders and with discount codes, and how their answers are judged."""

from typing import Any

from domain.orders.status import ENDED_UNPAID, OrderStatus
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor, Answer
from tests.simulation.workload.trade import move

CODES: dict[str, dict[str, Any]] = {
    "TEN": {"percent": "10", "max_uses": 4},
    "OFF": {"amount": {"amount": "3.33", "currency": "EUR"}, "max_uses_per_customer": 3},
}
"""Codes of the shop; all orders are of one customer."""


def _order(actor: Actor) -> str | None:
    """Return an order, likely one of the last, or None if there is none."""
    orders, chance = actor.world.orders, actor.world.scheduler.chance
    return str(chance.choice(orders[-3:])) if orders else None


def _states(actor: Actor, order: str, answer: Answer) -> list[tuple[OrderStatus, int, int]]:
    """Return status, units to ship and money left that an order may have had while it was asked for."""
    return list(actor.world.watch.history.possible(("left", order), answer.since, answer.until))


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
    units = sum(line["quantity"] for line in wanted) if wanted else 1
    refused = any(
        status is not OrderStatus.PAID or to_ship < units or wanted
        for status, to_ship, _ in _states(actor, order, answer)
    )
    return require(refused, "CreateShipment was refused, and the order was paid with units that remained.")


def refund_part(actor: Actor) -> None:
    """Refund a unit or two of an order, its shipping, or an amount."""
    order = _order(actor)
    if order is None:
        return None
    chance = actor.world.scheduler.chance
    amount, body = None, dict[str, Any]()
    if chance.random() < 0.3:
        minor = chance.choice((1, 99, 250, 533))
        amount, body = minor, {"amount": {"amount": f"{minor / 100:.2f}", "currency": "EUR"}}
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
    states = _states(actor, order, answer)
    if answer.code == "INVALID_STATE":
        unpaid = any(status in ENDED_UNPAID or status is OrderStatus.PENDING for status, *_ in states)
        return require(unpaid, "CreateRefund was told INVALID_STATE, and the order was always paid.")
    require(answer.code == "REFUND_TOO_LARGE", f"CreateRefund was told {answer.code}.")
    short = amount is None or any(left < amount for *_, left in states)
    return require(short, "CreateRefund was told REFUND_TOO_LARGE, and there was always more left.")


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
