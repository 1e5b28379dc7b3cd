"""A reader of the feed of events, which goes on where it stopped."""

from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor

_LIMIT = 7


def follow(actor: Actor) -> bool:
    """Read a page of the feed. Return whether there may be more."""
    world = actor.world
    since, after = world.fed_until, f"&after={world.fed_until}" if world.fed_until else ""
    answer = actor.ask("ListEvents", query=f"limit={_LIMIT}{after}")
    if answer is None or world.fed_until != since:
        # The answer was lost, or another reader has gone on since.
        return answer is None
    require(answer.status == 200, f"The feed answered {answer.status}: {answer.body}")
    found = answer.body["items"]
    world.fed += [(event["subject"], int(event["sequence"]), event["id"]) for event in found]
    world.fed_until = answer.body["next_cursor"]
    return len(found) == _LIMIT


def follow_to_the_end(actor: Actor) -> None:
    """Read all of the feed that is left."""
    while follow(actor):
        pass
