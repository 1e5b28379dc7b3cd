"""What clients do with the ledger, and how their answers are judged."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.common.model import to_rfc3339
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor, Answer
from tests.simulation.world.scheduler import BEGINNING


def _entry(account: str, direction: str, minor: int) -> dict[str, Any]:
    return {
        "account_id": account,
        "direction": direction,
        "amount": {"amount": f"{minor / 100:.2f}", "currency": "EUR"},
    }


def transfer(actor: Actor) -> None:
    """Post a transaction of two entries, or of more, some of them on one account."""
    world, chance = actor.world, actor.world.scheduler.chance
    debit, credit = chance.sample(world.accounts, 2)
    minor, mark = chance.choice((1, 5, 20, 100)), world.mark()
    entries = [_entry(debit, "debit", minor), _entry(credit, "credit", minor)]
    if chance.random() < 0.3:
        entries += [_entry(debit, "debit", 3), _entry(debit, "credit", 2), _entry(credit, "credit", 1)]
    answer = actor.ask("PostTransaction", body={"description": "x", "reference": mark, "entries": entries}, key=mark)
    if answer is None:
        return
    if answer.status == 201:
        world.transactions.append((answer.body["id"], debit, minor))
        world.promised.append(("transaction", (answer.body["id"], mark)))
    else:
        require(answer.code == "INSUFFICIENT_FUNDS", f"PostTransaction was told {answer.code}: {answer.body}")
        spent = minor + 1 if len(entries) > 2 else minor
        require(_could_lack(actor, credit, spent, answer), "PostTransaction was refused, and there were always funds.")


def _could_lack(actor: Actor, account: str, minor: int, answer: Answer) -> bool:
    balances = list(actor.world.watch.history.possible(("balance", account), answer.since, answer.until))
    return bool(min(balances) < minor)


def reverse(actor: Actor) -> None:
    """Reverse a transaction."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.transactions:
        return transfer(actor)
    recent = world.transactions[-1:] if chance.random() < 0.6 else world.transactions[-6:]
    transaction, filled, minor = chance.choice(recent)
    answer = actor.ask("ReverseTransaction", {"txn_id": transaction}, key=world.mark())
    if answer is None or answer.status == 201:
        return None
    known = world.watch.reversed_at.get(transaction)
    if answer.code == "ALREADY_REVERSED":
        return require(known is not None and known <= answer.until, "ReverseTransaction: it was not reversed before.")
    require(answer.code == "INSUFFICIENT_FUNDS", f"ReverseTransaction was told {answer.code}: {answer.body}")
    before = answer.until if known is None else min(answer.until, known - 1e-9)
    whole = world.watch.settled_balances(filled, answer.since, before) if before >= answer.since else set()
    return require(any(each < minor + 1 for each in whole), "ReverseTransaction: it was reversed, not short of funds.")


def balance(actor: Actor) -> None:
    """Read a balance: now, lately, or just before the account's last entry."""
    world, chance = actor.world, actor.world.scheduler.chance
    account = chance.choice(world.accounts)
    moment = BEGINNING + timedelta(seconds=world.scheduler.time)
    ends = [_just_before(at) for pk, (_, _, at) in world.watch.ends.items() if account in pk]
    as_of = chance.choice(("", to_rfc3339(moment - timedelta(seconds=chance.random() * 40)), *ends))
    answer = _ask_balance(actor, account, as_of)
    now = answer and answer.status == 200 and not as_of and not answer.body["final"]
    if answer and now and account in world.floored:
        minor = int(Decimal(answer.body["balance"]["amount"]) * 100)
        whole = world.watch.settled_balances(account, answer.since, answer.until)
        require(minor in whole, f"GetBalance showed {minor}, and it was one of {sorted(whole)}.")


def _just_before(at: str) -> str:
    return to_rfc3339(datetime.fromisoformat(at) - timedelta(milliseconds=1))


def trial(actor: Actor) -> None:
    """Read the trial balance."""
    moment = BEGINNING + timedelta(seconds=actor.world.scheduler.time + 1)
    query = f"as_of={to_rfc3339(moment)}" if actor.world.scheduler.chance.random() < 0.5 else ""
    answer = actor.ask("GetTrialBalance", query=query)
    if answer and answer.status == 200:
        for total in answer.body["totals"]:
            require(total["debit"] == total["credit"], f"The trial balance differs: {total}")


def stripe(actor: Actor) -> None:
    """Spread an account over more stripes, or read its entries."""
    world, chance = actor.world, actor.world.scheduler.chance
    account = chance.choice(world.accounts)
    if chance.random() < 0.5 or account in world.floored:
        return _walk(actor, account)
    answer = actor.ask("StripeAccount", {"account_id": account}, {"count": chance.choice((2, 3))}, key=world.mark())
    if answer:
        require(answer.status == 200 or answer.code == "INVALID_STATE", f"StripeAccount was told {answer.code}.")
    return None


def open_or_close(actor: Actor) -> None:
    """Open an account, with a code that others may use, or close one."""
    world, chance = actor.world, actor.world.scheduler.chance
    if chance.random() < 0.5:
        code = f"c{chance.randrange(4)}"
        body = {"code": code, "name": code, "type": "asset", "currency": "EUR"}
        answer = actor.ask("OpenAccount", body=body, key=world.mark())
        if answer and answer.status == 201:
            world.closing.append(answer.body["id"])
        elif answer:
            require(answer.code == "INVALID_STATE", f"OpenAccount was refused with {answer.code}.")
        return
    if not world.closing:
        return
    account = chance.choice(world.closing)
    if chance.random() < 0.5:
        other = chance.choice([each for each in world.accounts if each in world.floored])
        mark, back = world.mark(), chance.random() < 0.5
        sides = ("credit", "debit") if back else ("debit", "credit")
        entries = [_entry(account, sides[0], 1), _entry(other, sides[1], 1)]
        answer = actor.ask(
            "PostTransaction", body={"description": "x", "reference": mark, "entries": entries}, key=mark
        )
        known = {201: "", 400: "VALIDATION_ERROR", 409: "INSUFFICIENT_FUNDS"}
        require(answer is None or answer.code == known.get(answer.status), "PostTransaction was refused.")
    else:
        answer = actor.ask("CloseAccount", {"account_id": account}, key=world.mark())
        require(answer is None or answer.status == 200 or answer.code == "INVALID_STATE", "CloseAccount was refused.")


def restripe(actor: Actor) -> None:
    """Ask what a balance was just before the last entry, then post to another stripe at once."""
    world, chance = actor.world, actor.world.scheduler.chance
    account = chance.choice([each for each in world.accounts if each not in world.floored])
    ends = [_just_before(at) for pk, (_, _, at) in world.watch.ends.items() if account in pk]
    for as_of in ends[:1]:
        _ask_balance(actor, account, as_of)
    actor.ask("StripeAccount", {"account_id": account}, {"count": chance.choice((2, 3, 4))}, key=world.mark())
    other = chance.choice([each for each in world.accounts if each != account])
    for _ in range(2):
        mark = world.mark()
        entries = [_entry(account, "debit", 4), _entry(other, "credit", 4)]
        actor.ask("PostTransaction", body={"description": "x", "reference": mark, "entries": entries}, key=mark)


def _ask_balance(actor: Actor, account: str, as_of: str) -> Answer | None:
    """Read a balance at an instant, or now; remember it if it is final."""
    answer = actor.ask("GetBalance", {"account_id": account}, query=f"as_of={as_of}" if as_of else "")
    if answer and answer.status == 200 and answer.body["final"]:
        minor = int(Decimal(answer.body["balance"]["amount"]) * 100)
        actor.world.finals.append((account, answer.body["as_of"], minor))
    return answer


def _walk(actor: Actor, account: str) -> None:
    found = actor.walk("ListEntries", {"account_id": account}, limit=4)
    seen = [(each["stripe"], each["sequence"]) for each in found or ()]
    require(len(seen) == len(set(seen)), "ListEntries showed an entry twice.")
    for stripe_number in {number for number, _ in seen}:
        numbers = sorted(sequence for number, sequence in seen if number == stripe_number)
        require(numbers == list(range(1, len(numbers) + 1)), f"ListEntries left an entry out: {numbers}")
