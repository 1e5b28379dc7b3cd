"""What analysts do with exports: begin, look, cancel."""

from tests.simulation.checks.exports import require_whole
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor

_DATASETS = ("orders", "orders", "order_lines", "ledger_entries", "items", "payments")


def begin(actor: Actor) -> None:
    """Begin an export."""
    world = actor.world
    body = {"dataset": world.scheduler.chance.choice(_DATASETS), "format": "jsonl"}
    answer = actor.ask("CreateExport", body=body, key=world.mark())
    if answer:
        require(answer.status == 202, f"CreateExport answered {answer}.")
        world.exports[answer.body["id"]] = 0


def look(actor: Actor) -> None:
    """Read an export: it never goes back, and its files are whole once it shows any."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.exports:
        return begin(actor)
    export_id = chance.choice(list(world.exports))
    before = world.exports[export_id]
    answer = actor.ask("GetExport", {"export_id": export_id})
    if answer is None:
        return None
    shown = answer.body
    done = shown["progress"]["parts_done"]
    require(done >= before, f"{export_id} had {before} parts done, and then {done}.")
    world.exports[export_id] = max(done, world.exports[export_id])
    require(bool(shown["files"]) == (shown["status"] == "succeeded"), f"{export_id} is {shown['status']}, with files.")
    if shown["files"]:
        require_whole(shown, world.bucket)
    return None


def cancel(actor: Actor) -> None:
    """Cancel an export, if it is not finished."""
    world, chance = actor.world, actor.world.scheduler.chance
    if not world.exports:
        return begin(actor)
    export_id = chance.choice(list(world.exports))
    answer = actor.ask("CancelExport", {"export_id": export_id})
    if answer is None:
        return None
    require(answer.status == 204 or answer.code == "INVALID_STATE", f"CancelExport answered {answer}.")
    if answer.status == 204:
        world.cancelled.add(export_id)
    return None
