"""What customers, their banks and staff do with payments by providers, and how their answers are judged."""

from typing import Any

from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor
from tests.simulation.workload.trade import place
from tests.simulation.world.banks import Network

PROVIDERS = ("stripe", "paypal")
_BUSY = {"INVALID_STATE", "PAYMENT_IN_PROGRESS", "PROVIDER_UNAVAILABLE", "REFUND_TOO_LARGE"}
_AUTHORISED = {"requires_capture", "COMPLETED"}
_OPEN = {"requires_payment_method", "requires_confirmation", "requires_action", "PAYER_ACTION_REQUIRED"}


def prepare(actor: Actor, network: Network) -> None:
    """Connect an account at each provider."""
    for provider in PROVIDERS:
        body = {"credentials": network.connect(provider)}
        answer = actor.ask("SetPaymentProvider", {"provider": provider}, body, key=provider)
        require(answer and answer.status == 200, f"{provider} could not be set: {answer}")
    actor.world.network = network


def begin(actor: Actor) -> None:
    """Begin a payment of an order."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.orders:
        return place(actor)
    order = chance.choice(world.orders[-3:])
    body = {"provider": chance.choice(PROVIDERS)}
    answer = actor.ask("PayOrder", {"order_id": order}, body, key=world.mark())
    if answer is None:
        return None
    if answer.status in {201, 202}:
        world.payments.append(answer.body["id"])
        return _confirm(actor) if chance.random() < 0.7 else None
    return require(answer.code in _BUSY, f"PayOrder was told {answer.code}: {answer.body}")


def confirm(actor: Actor) -> None:
    """Let a customer confirm or decline a payment, or their bank change its mind."""
    _confirm(actor)


def _confirm(actor: Actor) -> None:
    world, chance = actor.world, actor.world.scheduler.chance
    banks: Any = world.network.banks
    found = [
        (bank, account, each["id"], each["status"])
        for account in banks.store.accounts()
        for bank, kind in ((banks.stripe, "payment_intent"), (banks.paypal, "order"))
        for each in banks.store.all(account, kind)[:4]
    ]
    if not found:
        return
    bank, account, payment, status = chance.choice(found)
    world.scheduler.note(f"the customer looks at {payment}, {status}")
    if status in _OPEN:
        bank.confirm(account, payment, accept=chance.random() < 0.9)
    elif status in _AUTHORISED and chance.random() < 0.2:
        chance.choice((bank.lapse, bank.refuse_capture))(account, payment)


def look(actor: Actor) -> None:
    """Refresh, read or cancel a payment."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.payments:
        return begin(actor)
    ids = {"payment_id": chance.choice(world.payments[-5:])}
    route = chance.choice(("RefreshPayment", "RefreshPayment", "GetPayment", "CancelPayment"))
    answer = actor.ask(route, ids, key="" if route == "GetPayment" else world.mark())
    if answer is None:
        return None
    return require(answer.status in {200, 202} or answer.code in _BUSY, f"{route} was told {answer.code}.")


def change(actor: Actor) -> None:
    """Cancel, ship or refund an order, as a whole or in part."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.orders:
        return place(actor)
    ids = {"order_id": chance.choice(world.orders[-4:])}
    route, body = chance.choice(
        (
            *(("CancelOrder", None), ("ShipOrder", None), ("RefundOrder", None)),
            *(("CreateRefund", {"amount": {"amount": "1.50", "currency": "EUR"}}),) * 2,
        )
    )
    answer = actor.ask(route, ids, body, key=world.mark())
    if answer is None:
        return None
    return require(answer.status in {200, 201, 202} or answer.code in _BUSY, f"{route} was told {answer.code}.")
