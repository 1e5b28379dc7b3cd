"""What clients do with resources and bookings, and how their answers are judged."""

from datetime import datetime, timedelta
from typing import Any

from domain.bookings.calendar import pages_of, peak, seconds
from domain.bookings.hours import Span
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor, Answer
from tests.simulation.world.scheduler import BEGINNING

CAPACITIES = (1, 3)
_FIRST = (BEGINNING + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
_HOUR = timedelta(hours=1)


def prepare(actor: Actor) -> None:
    """Add the resources."""
    price = {"per": "booking", "amount": {"amount": "5.00", "currency": "EUR"}}
    for capacity in CAPACITIES:
        body = {"name": f"of {capacity}", "capacity": capacity, "max_minutes": 2880, "price": price}
        answer = actor.ask("CreateResource", body=body, key=f"resource-{capacity}")
        if answer:
            actor.world.resources[answer.body["id"]] = capacity


def _time(actor: Actor) -> Span:
    """Return a time, often over midnight, where a page ends."""
    chance = actor.world.scheduler.chance
    start = _FIRST + _HOUR * chance.randrange(0, 48)
    return Span(start, start + _HOUR * chance.choice((1, 2, 5, 30)))


def _texts(during: Span) -> dict[str, str]:
    return {"starts_at": during.start.isoformat(), "ends_at": during.end.isoformat()}


def book(actor: Actor) -> None:
    """Book a resource."""
    world, chance = actor.world, actor.world.scheduler.chance
    mark, during, resource = world.mark(), _time(actor), chance.choice(list(world.resources))
    body: dict[str, Any] = {"resource_id": resource, "note": mark, "confirm": chance.random() < 0.3} | _texts(during)
    answer = actor.ask("CreateBooking", body=body, key=mark)
    if answer is None:
        return
    if answer.status == 201:
        world.bookings.append(answer.body["id"])
        world.promised.append(("booking", (answer.body["id"], mark)))
    else:
        _require_taken(actor, resource, during, answer)


def _require_taken(actor: Actor, resource: str, during: Span, answer: Answer) -> None:
    """Require a page to have had no room at some moment between question and answer."""
    world = actor.world
    require(answer.code == "SLOT_TAKEN", f"A booking was told {answer.code}: {answer.body}")
    start, end = (seconds(each) for each in during)
    for number in pages_of(during, 1):
        for entries in world.watch.history.possible(("page", resource, number), answer.since, answer.until):
            first, last = number * 86_400, (number + 1) * 86_400
            if peak(entries or (), max(start, first), min(end, last)) + 1 > world.resources[resource]:
                return
    require(False, f"A booking of {resource} was told SLOT_TAKEN, and there was always room.")


def move(actor: Actor) -> None:
    """Move a booking."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.bookings:
        return book(actor)
    body = _texts(_time(actor)) | ({"note": world.mark()} if chance.random() < 0.2 else {})
    answer = actor.ask("ChangeBooking", {"booking_id": _one(actor)}, body, if_match="*")
    require(answer is None or answer.status == 200 or answer.code in {"SLOT_TAKEN", "INVALID_STATE"}, f"{answer}")
    return None


def settle(actor: Actor) -> None:
    """Confirm or cancel a booking, or note that its customer came."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.bookings:
        return book(actor)
    route, booking = chance.choice(("ConfirmBooking", "ConfirmBooking", "CancelBooking", "CheckInBooking")), _one(actor)
    answer = actor.ask(route, {"booking_id": booking}, key=world.mark())
    if answer and answer.status == 200:
        world.promised.append((route, booking))
    require(answer is None or answer.status == 200 or answer.code == "INVALID_STATE", f"{route} was told {answer}.")
    return None


def order(actor: Actor) -> None:
    """Order one or two bookings, maybe with an item."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.bookings:
        return book(actor)
    mark = world.mark()
    lines: list[dict[str, Any]] = [{"booking_id": each} for each in sorted({_one(actor), _one(actor)})]
    if chance.random() < 0.4:
        lines.append({"item_id": chance.choice(world.items), "quantity": 1})
    answer = actor.ask("PlaceOrder", body={"lines": lines, "note": mark}, key=mark)
    if answer is None:
        return None
    if answer.status == 201:
        world.orders.append(answer.body["id"])
        world.promised.append(("order", (answer.body["id"], mark)))
    require(answer.status == 201 or answer.code in {"INVALID_STATE", "OUT_OF_STOCK"}, f"PlaceOrder was told {answer}.")
    return None


def look(actor: Actor) -> None:
    """Read a booking, or the times that are free: each is within what was asked for."""
    world, chance = actor.world, actor.world.scheduler.chance
    if world.bookings and chance.random() < 0.5:
        answer = actor.ask("GetBooking", {"booking_id": _one(actor)})
        require(answer is None or answer.status == 200, "A booking was acknowledged and could not be read.")
        return
    query = f"from={_FIRST:%Y-%m-%d}&to={_FIRST + timedelta(days=3):%Y-%m-%d}&minutes=60"
    answer = actor.ask("GetAvailability", {"resource_id": chance.choice(list(world.resources))}, query=query)
    for slot in answer.body["slots"] if answer else ():
        inside = _FIRST <= datetime.fromisoformat(slot["starts_at"]) <= _FIRST + timedelta(days=3)
        require(inside and slot["units"] > 0, f"{slot} is no answer.")


def _one(actor: Actor) -> str:
    world, chance = actor.world, actor.world.scheduler.chance
    return chance.choice(world.bookings[-2:] if chance.random() < 0.5 else world.bookings[-12:])
