"""Lambda functions: an event in, a response out, on a machine of their own that may die at any moment."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from handlers.invocations.trigger import USUAL
from handlers.registry import RouteFunction, functions
from local.http.gateway import Request, proxy_event
from local.invocation import handler_named
from tests.simulation.world.scheduler import Crash, Instance, Scheduler, Task

SKEW = 0.9
"""By how many seconds a clock may be off, either way."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request, and the time at which their token was issued."""

    tenant: str
    subject: str
    role: str
    issued_at: int


@dataclass(frozen=True, slots=True)
class Context:
    """What functions use of Lambda's context object."""

    scheduler: Scheduler
    started: float
    aws_request_id: str = "simulated"
    function_name: str = "simulated"

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the function's time."""
        return int((self.started + USUAL.seconds - self.scheduler.time) * 1000)


@cache
def routes() -> dict[str, RouteFunction]:
    """Return the functions behind routes, by name."""
    return {function.name: function for function in functions()}


@dataclass(slots=True)
class Functions:
    """All functions, started anew for each call."""

    scheduler: Scheduler
    crashes: float = 0.0
    """The share of calls in which the function dies."""
    crashed: int = 0

    def request(
        self, name: str, ids: dict[str, str], caller: Caller, query: str, headers: dict[str, str], body: bytes
    ) -> Task:
        """Begin a request to a route as its caller."""
        function = routes()[name]
        path = function.path.format(**ids)
        http = Request(function.declaration.method, path, query, list(headers.items()), body, "127.0.0.1")
        number = f"{self.scheduler.chance.getrandbits(64):016x}"
        event = proxy_event(http, function.path, ids, number)
        claims = {
            "sub": caller.subject,
            "cognito:groups": caller.role,
            "custom:tenant_id": caller.tenant,
            "iat": str(caller.issued_at),
        }
        if function.declaration.permission == "iam":
            event["requestContext"]["identity"]["userArn"] = caller.subject
        else:
            event["requestContext"]["authorizer"] = {"claims": claims}
        return self._begin(name, lambda context: function.route.handler(event, context), function.route.resolver)

    def trigger(self, name: str, event: dict[str, Any]) -> Task:
        """Begin a call by AWS."""
        return self._begin(name, lambda context: handler_named(name)(event, context), None)

    def _begin(self, name: str, call: Callable[[Any], Any], resolver: Any) -> Task:
        scheduler, chance = self.scheduler, self.scheduler.chance
        context = Context(scheduler, scheduler.time)

        def run() -> Any:
            scheduler.current.resolver = resolver
            return call(context)

        task = scheduler.spawn(name, run, Instance(scheduler, chance.uniform(-SKEW, SKEW)))
        ends = chance.expovariate(20) if chance.random() < self.crashes else USUAL.seconds
        scheduler.at(ends, lambda: self._end(task))
        return task

    def _end(self, task: Task) -> None:
        if not task.done:
            self.crashed += 1
            self.scheduler.kill(task)


def died(task: Task) -> bool:
    """Return whether a function died before it answered."""
    return isinstance(task.error, Crash)
