"""Every function with its sample event, as Lambda would run it: the template's zip and environment, AWS's runtime."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handlers.registry import RouteFunction, TriggerFunction, all_functions
from infra.app import synthesize
from infra.rehearsal.lambda_emulator import Emulator, Invocation
from local.database import TABLE_NAME
from local.samples import SECRET

_LAST = ("archive", "close", "delete")
"""What ends a thing comes after what others do with it: all share one database."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A function and what came of its event."""

    function: RouteFunction | TriggerFunction
    invocation: Invocation

    @property
    def passed(self) -> bool:
        """Whether it answered as a sample event should be answered."""
        response = self.invocation.response
        if isinstance(response, dict) and "errorMessage" in response:
            return False
        return (
            not isinstance(self.function, RouteFunction) or response["statusCode"] == self.function.declaration.status
        )


def environment_of(name: str, template: dict[str, Any]) -> dict[str, str]:
    """Return the environment that the template gives a function, with what stands here for what it refers to."""
    variables = template["Resources"][name]["Properties"].get("Environment", {"Variables": {}})["Variables"]
    local = {each: value for each, value in os.environ.items() if each.startswith("AWS_")}
    return local | {each: value if isinstance(value, str) else _here(value) for each, value in variables.items()}


def rehearse(emulator: Emulator) -> Iterator[Rehearsed]:
    """Call each function once with its event, on the database and pool that the environment names."""
    synthesized = synthesize({}).get_stack_by_name("Tradepost-dev").template
    for function in sorted(all_functions(), key=_is_last):
        event = json.loads(function.event.read_text())
        invocation = emulator.call(function.module, event, environment_of(function.name, synthesized))
        yield Rehearsed(function, invocation)


def _is_last(function: RouteFunction | TriggerFunction) -> bool:
    return function.module.rpartition(".")[2].startswith(_LAST)


def _here(reference: dict[str, str]) -> str:
    """Return what stands for a resource of the template: the table, the pool or the secret."""
    [logical_id] = reference.values()
    stand_ins = {"Table": TABLE_NAME, "UserPool": os.environ["USER_POOL_ID"]}
    return stand_ins.get(logical_id, SECRET)
