"""The smallest universe of a seed that still fails."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

from tests.simulation.universe import Plan, Report, Universe, run


def shrunk(seed: int, plan: Plan) -> str:
    """Return how few clients, commands and steps of a failing universe still fail, and with what.

    Clients and commands are taken away from the end, then single commands, as long as something still fails.
    """
    with closing(Universe(seed, plan)) as whole:
        best = replace(plan, actors=whole.actors, commands=whole.commands)
    report = run(seed, best)
    for candidates in (_fewer_commands, _fewer_actors, _single_commands):
        best, report = _smallest(seed, best, report, candidates(best))
    commands = (best.actors or 0) * (best.commands or 0) - len(best.left_out)
    return f"seed {seed} with {best.actors} clients, {commands} commands, {report.steps} steps: {report.violation}"


def _smallest(seed: int, best: Plan, report: Report, candidates: Iterator[Plan]) -> tuple[Plan, Report]:
    """Return the last candidate that fails in fewer steps; single commands add up."""
    for candidate in candidates:
        tried = replace(candidate, left_out=candidate.left_out | best.left_out)
        found = run(seed, tried)
        if found.violation and found.steps <= report.steps:
            best, report = tried, found
    return best, report


def _fewer_commands(plan: Plan) -> Iterator[Plan]:
    return (replace(plan, commands=fewer) for fewer in range((plan.commands or 1) - 1, 0, -1))


def _fewer_actors(plan: Plan) -> Iterator[Plan]:
    return (replace(plan, actors=fewer) for fewer in range((plan.actors or 1) - 1, 0, -1))


def _single_commands(plan: Plan) -> Iterator[Plan]:
    for actor in range(plan.actors or 0):
        for index in range(plan.commands or 0):
            yield replace(plan, left_out=frozenset({(actor, index)}))
