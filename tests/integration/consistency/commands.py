"""Commands that are sent under faults, each with the condition that must hold after it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.integration.bookings.common import EUROS, HOUR, act, book, booked, free, order_of, resource, tomorrow
from tests.shop import Answer, Shop, new_item


def _item(shop: Shop) -> dict[str, Any]:
    return shop.add(sku="OLD", stock=10)


def _order(*moves: str) -> Callable[[Shop], dict[str, Any]]:
    """Return a function that orders three of an item's ten units and applies the moves to the order."""

    def prepare(shop: Shop) -> dict[str, Any]:
        item = _item(shop)
        order_id = shop.order({item["id"]: 3}).json["id"]
        for move in moves:
            (shop.pay(order_id) if move == "pay" else shop.move(order_id, move))
        return {"id": item["id"], "order": order_id}

    return prepare


def _is(shop: Shop, made: dict[str, Any], status: str, stock: tuple[int, int, int]) -> bool:
    [order] = shop.walk(50, "/orders?")
    return bool(order["status"] == status) and shop.stock(made["id"]) == stock


def _part(shop: Shop, made: dict[str, Any], what: str, **fields: bool) -> Answer:
    lines = [{"item_id": made["id"], "quantity": 2} | fields]
    return shop.post(f"/orders/{made['order']}/{what}", {"lines": lines}, key="k")


def _refund(shop: Shop, made: dict[str, Any], **fields: bool) -> Answer:
    return _part(shop, made, "refunds", **fields)


def _count(shop: Shop, made: dict[str, Any], what: str) -> int:
    return len(shop.get(f"/orders/{made['order']}/{what}").json["items"])


def _with_code(shop: Shop) -> dict[str, Any]:
    """Add an item, and a code that one order may use."""
    shop.post("/discounts", {"code": "TEN", "percent": "10", "max_uses": 1})
    return _item(shop)


def _with_used_code(shop: Shop) -> dict[str, Any]:
    item = _with_code(shop)
    return {"id": item["id"], "order": shop.order({item["id"]: 3}, discount_code="TEN").json["id"]}


def _uses(shop: Shop) -> int:
    return int(shop.walk(9, "/discounts?")[0]["uses"])


def _booking(*moves: str) -> Callable[[Shop], dict[str, Any]]:
    """Return a function that books the night between two pages, and applies the moves to the booking or its order."""

    def prepare(shop: Shop) -> dict[str, Any]:
        room = resource(shop, price=EUROS)
        made = {"room": room, "id": booked(shop, room, tomorrow(), 30 * HOUR)}
        for each in moves:
            if each == "order":
                made["order"] = order_of(shop, made["id"]).json["id"]
            else:
                shop.pay(made["order"])
        return made

    return prepare


def _room(shop: Shop) -> dict[str, Any]:
    return {"room": resource(shop)}


def _booked(shop: Shop, room: str, status: str, *hours: int) -> bool:
    """Return whether the only booking of a room has a status, and begins and ends that many hours after tomorrow."""
    [booking] = shop.walk(9, "/bookings?")
    span = [(datetime.fromisoformat(booking[name]) - tomorrow()) // HOUR for name in ("starts_at", "ends_at")]
    free_hours = len(free(shop, room, tomorrow(), tomorrow() + timedelta(days=3), minutes=60))
    taken = 0 if status == "cancelled" else span[1] - span[0]
    return bool(booking["status"] == status) and [*hours] in ([], span) and free_hours == 72 - taken


@dataclass(frozen=True)
class Command:
    """Command, and the condition that must hold after it, regardless of the number of times it was sent."""

    name: str
    send: Callable[[Shop, dict[str, Any]], Answer]
    holds: Callable[[Shop, dict[str, Any]], bool]
    status: int = 200
    prepare: Callable[[Shop], dict[str, Any]] = _item


COMMANDS = [
    Command(
        "create",
        lambda shop, _: shop.post("/items", new_item(sku="NEW"), key="k"),
        lambda shop, _: len(shop.walk(50)) == 2,
        201,
    ),
    Command(
        "adjust",
        lambda shop, item: shop.adjust(item["id"], -3, key="k"),
        lambda shop, item: shop.item(item["id"])["stock"]["on_hand"] == 7,
    ),
    Command(
        "batch",
        lambda shop, _: shop.post("/items/batch", {"items": [new_item(sku=f"S{n}") for n in range(3)]}, key="k"),
        lambda shop, _: len(shop.walk(50)) == 4,
    ),
    Command(
        "split",
        lambda shop, item: shop.post(f"/items/{item['id']}/stock-buckets", {"count": 4}, key="k"),
        lambda shop, item: shop.stock(item["id"]) == (10, 0, 10) and shop.item(item["id"])["version"] == 2,
    ),
    Command(
        "place",
        lambda shop, item: shop.order({item["id"]: 3}, key="k"),
        lambda shop, item: _is(shop, item, "pending", (10, 3, 7)),
        201,
    ),
    Command(
        "pay",
        lambda shop, made: shop.pay(made["order"], key="k"),
        lambda shop, made: _is(shop, made, "paid", (10, 3, 7)),
        201,
        _order(),
    ),
    Command(
        "cancel",
        lambda shop, made: shop.move(made["order"], "cancel", key="k"),
        lambda shop, made: _is(shop, made, "cancelled", (10, 0, 10)),
        prepare=_order(),
    ),
    Command(
        "ship",
        lambda shop, made: shop.move(made["order"], "ship", key="k"),
        lambda shop, made: _is(shop, made, "shipped", (7, 0, 7)),
        prepare=_order("pay"),
    ),
    Command(
        "deliver",
        lambda shop, made: shop.move(made["order"], "deliver", key="k"),
        lambda shop, made: _is(shop, made, "delivered", (7, 0, 7)),
        prepare=_order("pay", "ship"),
    ),
    Command(
        "refund",
        lambda shop, made: shop.move(made["order"], "refund", key="k"),
        lambda shop, made: _is(shop, made, "refunded", (10, 0, 10)),
        prepare=_order("pay"),
    ),
    Command(
        "ship a part",
        lambda shop, made: _part(shop, made, "shipments"),
        lambda shop, made: _is(shop, made, "paid", (8, 1, 7)) and _count(shop, made, "shipments") == 1,
        201,
        _order("pay"),
    ),
    Command(
        "refund a part",
        _refund,
        lambda shop, made: _is(shop, made, "paid", (10, 1, 9)) and _count(shop, made, "refunds") == 1,
        201,
        _order("pay"),
    ),
    Command(
        "take back",
        lambda shop, made: _refund(shop, made, restock=True),
        lambda shop, made: _is(shop, made, "shipped", (9, 0, 9)) and _count(shop, made, "refunds") == 1,
        201,
        _order("pay", "ship"),
    ),
    Command(
        "add a code",
        lambda shop, _: shop.post("/discounts", {"code": "TEN", "percent": "10"}, key="k"),
        lambda shop, _: len(shop.walk(9, "/discounts?")) == 1,
        201,
    ),
    Command(
        "use a code",
        lambda shop, made: shop.order({made["id"]: 3}, key="k", discount_code="TEN"),
        lambda shop, made: _is(shop, made, "pending", (10, 3, 7)) and _uses(shop) == 1,
        201,
        _with_code,
    ),
    Command(
        "give a code back",
        lambda shop, made: shop.move(made["order"], "cancel", key="k"),
        lambda shop, made: _is(shop, made, "cancelled", (10, 0, 10)) and _uses(shop) == 0,
        prepare=_with_used_code,
    ),
    Command(
        "book",
        lambda shop, made: book(shop, made["room"], tomorrow(), 30 * HOUR, key="k"),
        lambda shop, made: _booked(shop, made["room"], "held", 0, 30),
        201,
        _room,
    ),
    Command(
        "confirm a booking",
        lambda shop, made: act(shop, made["id"], "confirm", key="k"),
        lambda shop, made: _booked(shop, made["room"], "confirmed"),
        prepare=_booking(),
    ),
    Command(
        "cancel a booking",
        lambda shop, made: act(shop, made["id"], "cancel", key="k"),
        lambda shop, made: _booked(shop, made["room"], "cancelled"),
        prepare=_booking(),
    ),
    Command(
        "order a booking",
        lambda shop, made: order_of(shop, made["id"], key="k"),
        lambda shop, made: _booked(shop, made["room"], "held") and len(shop.walk(9, "/orders?")) == 1,
        201,
        _booking(),
    ),
    Command(
        "pay a booking",
        lambda shop, made: shop.pay(made["order"], key="k"),
        lambda shop, made: _booked(shop, made["room"], "confirmed"),
        201,
        _booking("order"),
    ),
    Command(
        "cancel the order of a booking",
        lambda shop, made: shop.move(made["order"], "cancel", key="k"),
        lambda shop, made: _booked(shop, made["room"], "cancelled"),
        prepare=_booking("order"),
    ),
    Command(
        "refund a booking",
        lambda shop, made: shop.move(made["order"], "refund", key="k"),
        lambda shop, made: _booked(shop, made["room"], "cancelled"),
        prepare=_booking("order", "pay"),
    ),
]
