"""One thing at a time, in virtual time, in an order that one seed decides.

Tasks are greenlets: they run until they wait, and then whatever is next on the heap runs. Nothing races, and nothing
takes real time.
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from domain.common.environment import Environment, using

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


_READING = 0.0002
"""How long reading the clock may take, in seconds."""


class Crash(BaseException):
    """The end of a function in the middle of what it does: no `except Exception` sees it."""


@dataclass(slots=True)
class Task:
    """Something that runs until it waits."""

    name: str
    run: Any = None
    """Its greenlet."""
    done: bool = False
    result: Any = None
    error: BaseException | None = None
    resolver: Any = None
    """The Powertools resolver whose route runs in it."""
    kept: tuple[Any, ...] = ()
    """What Powertools knows of its request while others run."""


@dataclass(slots=True)
class Scheduler:
    """The heap of what happens next."""

    chance: Random
    time: float = 0.0
    steps: int = 0
    trace: list[str] = field(default_factory=list)
    _heap: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Any = field(default_factory=count)
    _tasks: dict[greenlet, Task] = field(default_factory=dict)
    _hub: greenlet = field(default_factory=getcurrent)

    def at(self, delay: float, call: Callable[[], None]) -> None:
        """Call something later."""
        heapq.heappush(self._heap, (self.time + delay, next(self._numbers), call))

    def spawn(self, name: str, call: Callable[[], Any], environment: Environment | None = None) -> Task:
        """Begin a task."""
        task = Task(name)
        task.run = greenlet(lambda: self._main(task, call, environment), parent=self._hub)
        self._tasks[task.run] = task
        self.at(0, lambda: self._resume(task))
        return task

    def wait(self, seconds: float) -> None:
        """Let the current task wait."""
        task = self.current
        self.at(seconds, lambda: self._resume(task))
        self._leave(task)

    def join(self, tasks: Iterable[Task], seconds: float = float("inf")) -> bool:
        """Wait until tasks are done, at most for some seconds; return whether they are done."""
        until = self.time + seconds
        wanted = list(tasks)
        while not all(task.done for task in wanted):
            if self.time >= until:
                return False
            self.wait(min(0.01, until - self.time) if seconds < float("inf") else 0.01)
        return True

    def kill(self, task: Task) -> None:
        """End a task where it waits."""
        if not task.done:
            self.at(0, lambda: self._resume(task, Crash()))

    def run(self, until: Callable[[], bool]) -> None:
        """Run what is on the heap until something holds or nothing is left."""
        while self._heap and not until():
            self.time, _, call = heapq.heappop(self._heap)
            self.steps += 1
            call()

    def note(self, what: str) -> None:
        """Write a line of the trace."""
        task = self._tasks.get(getcurrent())
        self.trace.append(f"{self.time:12.6f} {task.name if task else '-':<24} {what}")

    @property
    def current(self) -> Task:
        """The task that runs."""
        return self._tasks[getcurrent()]

    def _main(self, task: Task, call: Callable[[], Any], environment: Environment | None) -> None:
        try:
            with using(environment or Instance(self)):
                task.result = call()
        except BaseException as error:  # noqa: BLE001 - the task's waiter looks at it
            task.error = error
        task.done = True
        del self._tasks[task.run]

    def _resume(self, task: Task, error: BaseException | None = None) -> None:
        if task.done:
            return
        if task.resolver is not None and task.kept:
            BaseRouter.current_event, BaseRouter.lambda_context, task.resolver.context = task.kept
        if error:
            task.run.throw(error)
        else:
            task.run.switch()

    def _leave(self, task: Task) -> None:
        if task.resolver is not None:
            task.kept = (
                BaseRouter.__dict__.get("current_event"),
                BaseRouter.__dict__.get("lambda_context"),
                task.resolver.context,
            )
            task.resolver.context = {}
        self._hub.switch()


class Instance(Environment):
    """The machine of one function: its clock is off by `skew` seconds, and its chance is the seed's."""

    def __init__(self, scheduler: Scheduler, skew: float = 0.0) -> None:
        self._scheduler, self._skew = scheduler, skew
        self.chance = scheduler.chance

    def now(self) -> datetime:
        # Others may run between any reading of the clock and what follows from it.
        self._scheduler.wait(self.chance.random() * _READING)
        return BEGINNING + timedelta(seconds=self._scheduler.time + self._skew)

    def monotonic(self) -> float:
        return self._scheduler.time

    def sleep(self, seconds: float) -> None:
        self._scheduler.wait(seconds)

    def in_parallel[A, R](self, call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
        """Return the results of tasks, one an argument, that run at once."""
        scheduler, name = self._scheduler, self._scheduler.current.name
        tasks = [scheduler.spawn(name, lambda argument=argument: call(argument), self) for argument in arguments]  # type: ignore[misc]
        try:
            scheduler.join(tasks)
        except Crash:
            for task in tasks:
                scheduler.kill(task)
            raise
        for task in tasks:
            if task.error:
                raise task.error
        return [task.result for task in tasks]
