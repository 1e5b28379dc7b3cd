"""What is there when clients begin: a shop, with items, codes, accounts and endpoints."""

from tests.simulation.workload import bookings, hooks, parts, payments, trade
from tests.simulation.workload.actors import Actor, World
from tests.simulation.world.banks import Network
from tests.simulation.world.scheduler import BEGINNING


def prepare(world: World, theme: str, network: Network) -> None:
    """Open a shop with what a theme needs."""
    actor = Actor(world, "main")
    operator = actor.caller("arn:aws:iam::0:user/operator")
    owner, open_shop = {"email": "owner@example.com", "name": "The first owner"}, {"allow_sign_up": True}
    tenant = {"id": world.tenant, "name": "Sim", "owner": owner, "settings": open_shop | trade.SHOP}
    actor.ask("CreateTenant", body=tenant, key="tenant", caller=operator)
    world.owners += sorted(world.watch.owners)
    world.tokens |= dict.fromkeys(world.owners, int(BEGINNING.timestamp()))
    _add_items(actor, theme)
    for code, terms in parts.CODES.items() if theme in {"orders", "codes", "all"} else ():
        answer = actor.ask("CreateDiscount", body={"code": code} | terms, key=code)
        world.discounts += [answer.body["id"]] if answer else []
    if theme == "bookings":
        bookings.prepare(actor)
    if theme == "payments":
        payments.prepare(actor, network)
    if theme == "flow":
        hooks.prepare(actor)
    if theme in {"books", "accounts", "all"}:
        _open_accounts(actor)


def _add_items(actor: Actor, theme: str) -> None:
    world, chance = actor.world, actor.world.scheduler.chance
    for number in range(chance.randint(1, 3)):
        body = {
            "name": f"n{number}",
            "price": {"amount": "5.00", "currency": "EUR"},
            "stock": chance.choice((5, 20, 60)),
        }
        answer = actor.ask("CreateItem", body=body, key=f"item-{number}")
        if answer:
            world.items.append(answer.body["id"])
    for item in world.items:
        if chance.random() < 0.6:
            actor.ask("SplitStock", {"item_id": item}, {"count": chance.choice((2, 4))}, key=f"split-{item}")
    if theme == "catalogue":
        body = {"name": "uncounted", "price": {"amount": "5.00", "currency": "EUR"}}
        answer = actor.ask("CreateItem", body=body, key="uncounted")
        world.items += [answer.body["id"]] if answer else []


def _open_accounts(actor: Actor) -> None:
    for code, kind, floor in (
        ("bank", "asset", "0"),
        ("till", "asset", "0"),
        ("fund", "equity", None),
        ("rest", "asset", None),
    ):
        body = {"code": code, "name": code, "type": kind, "currency": "EUR", "floor": floor}
        answer = actor.ask("OpenAccount", body=body, key=code)
        if answer:
            actor.world.accounts.append(answer.body["id"])
            if floor:
                actor.world.floored.add(answer.body["id"])
