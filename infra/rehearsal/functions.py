"""Run of every function with its sample event as in Lambda: the template's zip and environment, AWS's runtime."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handlers.registry import RouteFunction, TriggerFunction, all_functions
from infra.rehearsal.lambda_emulator import Emulator, Invocation
from infra.templates import synthesize
from local.database import TABLE_NAME
from local.samples.data import SECRET, signed_now

_LAST = ("archive", "close", "delete")
"""Operations that run last: all functions share one database, and these end what others use."""

_IN_ENVIRONMENT = {
    "UserPool": "USER_POOL_ID",
    "EventBus": "EVENT_BUS",
    "EventsQueue": "EVENT_QUEUE",
    "DeliveriesQueue": "DELIVERY_QUEUE",
    "PaymentEventsQueue": "PAYMENT_QUEUE",
}
"""Resources of the template whose local stand-ins are in environment variables."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """Function and the result of its sample event."""

    function: RouteFunction | TriggerFunction
    invocation: Invocation

    @property
    def passed(self) -> bool:
        """True if a route returned its declared status, or a trigger raised no error."""
        response = self.invocation.response
        if isinstance(response, dict) and "errorMessage" in response:
            return False
        return (
            not isinstance(self.function, RouteFunction) or response["statusCode"] == self.function.declaration.status
        )


def environment_of(name: str, template: dict[str, Any]) -> dict[str, str]:
    """Return a function's environment from the template, with CloudFormation references replaced by local values."""
    variables = template["Resources"][name]["Properties"].get("Environment", {"Variables": {}})["Variables"]
    local = {each: value for each, value in os.environ.items() if each.startswith("AWS_")}
    local |= {"WEBHOOKS_TO_ANYWHERE": "on"}  # Rehearsals resolve no names.
    local |= {name: os.environ[name] for name in ("STRIPE_API", "PAYPAL_API", "WEBHOOK_KEY")}
    here = {each: value if isinstance(value, str) else _here(value) for each, value in variables.items()}
    return local | here | {"PROVIDER_SECRETS": os.environ["PROVIDER_SECRETS"]}


def rehearse(emulator: Emulator) -> Iterator[Rehearsed]:
    """Call each function once with its sample event, on the database and user pool set in the environment."""
    synthesized = synthesize({}).whole
    for function in sorted(all_functions(), key=_is_last):
        event = signed_now(json.loads(function.event.read_text()))
        environment = environment_of(function.name, synthesized)
        invocation = emulator.call(function.module, event, environment, function.size.packages)
        yield Rehearsed(function, invocation)


def _is_last(function: RouteFunction | TriggerFunction) -> bool:
    return function.module.rpartition(".")[2].startswith(_LAST)


def _here(reference: dict[str, str]) -> str:
    """Return the local value of a reference to the table, the user pool, the bus, a queue or a secret."""
    [logical_id] = reference.values()
    stand_ins = {"Table": TABLE_NAME} | {name: os.environ[variable] for name, variable in _IN_ENVIRONMENT.items()}
    return stand_ins.get(logical_id, SECRET)
