"""The smallest universe of a seed that still fails."""

from dataclasses import replace

from tests.simulation.universe import Plan, Universe, run


def shrunk(seed: int, plan: Plan) -> str:
    """Return how few clients and commands of a failing universe still fail, and with what."""
    whole = Universe(seed, plan)
    best = replace(plan, actors=whole.actors, commands=whole.commands)
    violation = run(seed, best).violation
    for name in ("commands", "actors"):
        for fewer in range(1, getattr(best, name) or 1):
            candidate = replace(best, commands=fewer) if name == "commands" else replace(best, actors=fewer)
            found = run(seed, candidate).violation
            if found:
                best, violation = candidate, found
                break
    return f"seed {seed} with {best.actors} clients of {best.commands} commands: {violation}"
