"""What clients do with items and orders, and how their answers are judged."""

from typing import Any

from domain.orders.status import MOVES, OrderStatus
from tests.simulation.checks.codes import CUSTOMERS
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor, Answer

_WANTED = {
    "CancelOrder": OrderStatus.CANCELLED,
    "ShipOrder": OrderStatus.SHIPPED,
    "DeliverOrder": OrderStatus.DELIVERED,
    "RefundOrder": OrderStatus.REFUNDED,
    "PayOrder": OrderStatus.PAID,
}

_EXTRAS: tuple[dict[str, Any], ...] = (
    {"shipping_option": "parcel"},
    {"charges": [{"kind": "fee", "label": "Gift wrapping", "amount": {"amount": "2.50", "currency": "EUR"}}]},
    {
        "shipping_option": "parcel",
        "charges": [{"kind": "discount", "label": "Loyalty", "amount": {"amount": "0.55", "currency": "EUR"}}],
    },
)
_CODES: tuple[dict[str, Any], ...] = (
    {"discount_code": "TEN"},
    {"discount_code": "off", "shipping_option": "parcel"},
)
SHOP = {
    "tax": {"rates": [{"country": "*", "rate": "0.07", "name": "Tax"}]},
    "shipping_options": [{"id": "parcel", "name": "Parcel", "price": {"amount": "4.90", "currency": "EUR"}}],
}
"""Settings of a shop in which orders have charges and tax."""


def _item(actor: Actor) -> str:
    return str(actor.world.scheduler.chance.choice(actor.world.items))


def place(actor: Actor) -> None:
    """Order some units of one or two items."""
    world, chance = actor.world, actor.world.scheduler.chance
    mark, wanted = (
        world.mark(),
        {_item(actor): chance.choice((1, 1, 2, 3, 7, 12)) for _ in range(chance.choice((1, 1, 2)))},
    )
    body = {"lines": [{"item_id": item, "quantity": units} for item, units in wanted.items()], "note": mark}
    if chance.random() < 0.4:
        body |= chance.choice(_EXTRAS + _CODES if world.discounts else _EXTRAS)
    return order(actor, mark, body, wanted)


def order_with_code(actor: Actor) -> None:
    """Order a unit with a discount code, for one of a few customers."""
    chance, mark, item = actor.world.scheduler.chance, actor.world.mark(), _item(actor)
    body = {"lines": [{"item_id": item, "quantity": 1}], "note": mark, "customer_id": chance.choice(CUSTOMERS)}
    return order(actor, mark, body | chance.choice(_CODES), {item: 1})


def order(actor: Actor, mark: str, body: dict[str, Any], wanted: dict[str, int]) -> None:
    """Place an order, and judge the answer."""
    world, chance = actor.world, actor.world.scheduler.chance
    answer = actor.ask("PlaceOrder", body=body, key=mark)
    if answer is None:
        # Some clients then try with another key, and may have two orders.
        return place(actor) if chance.random() < 0.3 else None
    if answer.status == 201:
        world.orders.append(answer.body["id"])
        world.promised.append(("order", (answer.body["id"], mark)))
        if chance.random() < 0.3:
            read = actor.ask("GetOrder", {"order_id": answer.body["id"]})
            require(read is None or read.status == 200, "An order was acknowledged and could not be read.")
    elif answer.code == "OUT_OF_STOCK":
        short = any(_could_lack(actor, item, units, answer) for item, units in wanted.items())
        require(short, f"PlaceOrder was told OUT_OF_STOCK, and there were always units: {wanted}.")
    elif answer.code == "DISCOUNT_INVALID":
        code = ("code", str(body["discount_code"]).upper(), body.get("customer_id", CUSTOMERS[0]))
        unusable = False in world.watch.history.possible(code, answer.since, answer.until)
        require(unusable, f"PlaceOrder was told DISCOUNT_INVALID, and {code} could always be used.")
    else:
        archived = answer.code == "ITEM_ARCHIVED" and any(_was(actor, item, "archived", answer) for item in wanted)
        require(archived, f"PlaceOrder was told {answer.code}.")
    return None


def _could_lack(actor: Actor, item: str, units: int, answer: Answer) -> bool:
    possible = actor.world.watch.history.possible(("available", item), answer.since, answer.until)
    return any(available < units for available in possible)


def _was(actor: Actor, item: str, status: str, answer: Answer) -> bool:
    return status in actor.world.watch.history.possible(("status", item), answer.since, answer.until)


def move(actor: Actor) -> None:
    """Pay, cancel, ship, deliver or refund an order."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.orders:
        return place(actor)
    order = chance.choice(world.orders[-2:] if chance.random() < 0.5 else world.orders[-12:])
    route = chance.choice(("PayOrder", "PayOrder", "CancelOrder", "ShipOrder", "DeliverOrder", "RefundOrder"))
    if world.recent and chance.random() < 0.3:
        route, order = world.recent
    world.recent = route, order
    body = {"provider": "manual"} if route == "PayOrder" else None
    answer = actor.ask(route, {"order_id": order}, body, key=world.mark())
    if answer is None:
        return None
    if answer.status in {200, 201}:
        world.promised.append(("move", (order, _WANTED[route].value)))
        return None
    require(answer.code == "INVALID_STATE", f"{route} was told {answer.code}.")
    statuses = set(world.watch.history.possible(("order", order), answer.since, answer.until))
    late = OrderStatus.PENDING in statuses and route == "PayOrder" and answer.until > 850
    refused = late or any((status, _WANTED[route]) not in MOVES for status in statuses)
    if route == "ShipOrder":
        seen = world.watch.history.possible(("whole order", order), answer.since, answer.until)
        refused |= any(not any(line.to_ship for line in each.lines) for each in seen)
    return require(refused, f"{route} was refused, and the order was always one of {sorted(statuses)}.")


def count(actor: Actor) -> None:
    """Count units in or out."""
    world, chance = actor.world, actor.world.scheduler.chance
    item, mark = _item(actor), world.mark()
    delta = chance.choice((1, 5, 20, -1, -3, -10))
    answer = actor.ask("AdjustStock", {"item_id": item}, {"delta": delta, "reason": mark}, key=mark)
    if answer is None:
        return
    if answer.status == 200:
        world.promised.append(("count", mark))
    else:
        uncounted = world.watch.history.last(("available", item)) is None
        if uncounted and answer.code == "INVALID_STATE":
            return
        require(answer.code == "OUT_OF_STOCK", f"AdjustStock was told {answer.code}: {answer.body}")
        require(_could_lack(actor, item, -delta, answer), "AdjustStock was told OUT_OF_STOCK, and there were units.")


def split(actor: Actor) -> None:
    """Spread an item's units over more or fewer shards."""
    chance = actor.world.scheduler.chance
    actor.ask(
        "SplitStock", {"item_id": _item(actor)}, {"count": chance.choice((1, 2, 3, 4, 6))}, key=actor.world.mark()
    )


def edit(actor: Actor) -> None:
    """Change an item: as it was read, or whatever it is by then."""
    world, chance = actor.world, actor.world.scheduler.chance
    item = _item(actor)
    read = actor.ask("GetItem", {"item_id": item})
    if read is None or read.status != 200 or read.body["status"] == "archived":
        return
    mark = world.mark()
    any_version = chance.random() < 0.3
    patch = (
        {"name": mark}
        if chance.random() < 0.5
        else {"name": mark, "price": {"amount": f"{chance.randrange(1, 99)}.00"}}
    )
    if chance.random() < 0.1:
        patch["sku"] = _sku(actor) if chance.random() < 0.5 else mark
    if_match = "*" if any_version else read.etag
    answer = actor.ask("ChangeItem", {"item_id": item}, patch, if_match=if_match)
    if answer is None:
        return
    if answer.status == 200:
        world.promised.append(("edit", mark))
        if not any_version and answer.tries == 1:
            _require_no_lost_update(actor, item, mark, read.body["name"])
    elif answer.code == "PRECONDITION_FAILED":
        changed = len(set(world.watch.history.possible(("edits", item), read.since, answer.until))) > 1
        require(not any_version or answer.tries > 1, "ChangeItem was told 412 for any version.")
        require(changed, "ChangeItem was told 412, and nothing had changed.")
    elif answer.code == "SKU_TAKEN":
        require(actor.world.watch.sku_was_taken(str(patch["sku"]), answer.since, answer.until), "The SKU was free.")
    else:
        require(answer.code == "ITEM_ARCHIVED" and _was(actor, item, "archived", answer), f"ChangeItem: {answer.code}")


def _require_no_lost_update(actor: Actor, item: str, mark: str, seen: str) -> None:
    """The name before a change that was accepted is the one that its client saw."""
    names = actor.world.watch.names[item]
    before = names[names.index(mark) - 1]
    require(before == seen, f"ChangeItem overwrote {before}, having seen {seen}.")


def archive(actor: Actor) -> None:
    """Take an item out of sale."""
    world = actor.world
    if world.scheduler.chance.random() < 0.9 or len(world.items) < 2:
        return edit(actor)
    actor.ask("ArchiveItem", {"item_id": _item(actor)}, if_match="*")
    return None


def create_with_sku(actor: Actor) -> None:
    """Add items with SKUs that others may have, and some without."""
    world, chance = actor.world, actor.world.scheduler.chance
    rows = [_row_with_sku(actor, units) for units in (10, None, 5)[: chance.choice((1, 3))]]
    route, body = ("CreateItem", rows[0]) if len(rows) == 1 else ("CreateItems", {"items": rows})
    key, since = world.mark(), world.scheduler.time
    answer = actor.ask(route, body=body, key=key)
    if answer is None and chance.random() < 0.7:
        # Longer than the lease of a function that died.
        world.scheduler.wait(chance.choice((5, 61, 62)))
        answer = actor.ask(route, body=body, key=key)
    if answer is None:
        return
    results = answer.body["results"] if route == "CreateItems" else [{"problem": answer.body, "item": answer.body}]
    for row, result in zip(rows, results, strict=True):
        code = str(result.get("problem", {}).get("code", ""))
        if not code:
            world.promised.append(("item", (result["item"]["id"], result["item"]["name"])))
            world.items.append(result["item"]["id"])
        elif code not in {"CONTENTION", "UNAVAILABLE"}:
            require(row["sku"], f"An item without a SKU was refused with {code}.")
            sku = str(row["sku"])
            repeated = sum(each["sku"] == sku for each in rows) > 1
            taken = repeated or world.watch.sku_was_taken(sku, since, answer.until)
            require(code == "SKU_TAKEN" and taken, f"An item was refused with {code}, and its SKU was free.")


def _row_with_sku(actor: Actor, units: int | None) -> dict[str, Any]:
    price = {"amount": "5.00", "currency": "EUR"}
    sku = None if units is None else _sku(actor)
    return {"name": actor.world.mark(), "sku": sku, "price": price, "stock": units}


def _sku(actor: Actor) -> str:
    return f"SKU-{actor.world.scheduler.chance.randrange(6)}"


def find(actor: Actor) -> None:
    """Find an item by its SKU."""
    sku = _sku(actor)
    answer = actor.ask("ListItems", query=f"sku={sku}")
    for item in answer.body["items"] if answer else ():
        require(item["sku"] == sku, f"A search for {sku} showed {item}.")


def create(actor: Actor) -> None:
    """Add an item, or a batch of them."""
    world, chance = actor.world, actor.world.scheduler.chance
    marks = [world.mark() for _ in range(chance.choice((1, 1, 3)))]
    rows = [{"name": mark, "sku": mark, "price": {"amount": "5.00", "currency": "EUR"}, "stock": 10} for mark in marks]
    key = world.mark()
    if len(rows) == 1:
        answer = actor.ask("CreateItem", body=rows[0], key=key)
        created = [answer.body] if answer and answer.status == 201 else []
    else:
        answer = actor.ask("CreateItems", body={"items": rows}, key=key)
        created = [each["item"] for each in answer.body["results"] if each["status"] == 201] if answer else []
    for item in created:
        world.promised.append(("item", (item["id"], item["name"])))
        if len(world.items) < 8:
            world.items.append(item["id"])


def look(actor: Actor) -> None:
    """Read an item, an order, or walk a list while others write."""
    world, chance = actor.world, actor.world.scheduler.chance
    draw = chance.random()
    if draw < 0.4:
        answer = actor.ask("GetItem", {"item_id": _item(actor)})
        require(answer is None or answer.status == 200, "An item that is there was not shown.")
    elif draw < 0.7 and world.orders:
        order = chance.choice(world.orders)
        answer = actor.ask("GetOrder", {"order_id": order})
        require(answer is None or answer.status == 200, "An order that is there was not shown.")
    else:
        _walk(actor, "ListOrders")


def _walk(actor: Actor, route: str) -> None:
    found = actor.walk(route, limit=5)
    seen = [each["id"] for each in found or ()]
    require(len(seen) == len(set(seen)), f"{route} showed something twice.")
