"""Scenario of bookings, and of an order with one."""

from typing import Any

from tests.integration.bookings.common import EUROS, HOUR, act, book, booked, move, order_of, resource, tomorrow
from tests.integration.consistency.scenes import Act, Scene
from tests.shop import Answer, Shop


def _bookings(shop: Shop) -> dict[str, Any]:
    """Book a room of two beds over midnight, and once more the day after; the first booking is in an order."""
    room = resource(shop, capacity=2, price=EUROS)
    first, second = (booked(shop, room, tomorrow() + n * HOUR, 30 * HOUR) for n in (0, 24))
    return {"room": room, "ordered": first, "id": second, "order": order_of(shop, first).json["id"], "key": "k"}


def _book(shop: Shop, made: dict[str, Any]) -> Answer:
    return book(shop, made["room"], tomorrow() + 20 * HOUR, 10 * HOUR, key=made["key"])


def _move_away(name: str) -> Act:
    return lambda shop, made: move(shop, made[name], tomorrow() + 50 * HOUR, 30 * HOUR)


BOOKINGS = Scene(
    _bookings,
    {
        "book": _book,
        "confirm": lambda shop, made: act(shop, made["id"], "confirm", key=made["key"]),
        "order": lambda shop, made: order_of(shop, made["id"], key=made["key"]),
        "pay": lambda shop, made: shop.pay(made["order"], key=made["key"]),
        "cancel the order": lambda shop, made: shop.move(made["order"], "cancel", key=made["key"]),
        "move": _move_away("id"),
    },
    {
        "book": _book,
        "move": _move_away("id"),
        "move the ordered one": _move_away("ordered"),
        "cancel": lambda shop, made: act(shop, made["id"], "cancel"),
        "pay": lambda shop, made: shop.pay(made["order"], key=made["key"]),
    },
)
