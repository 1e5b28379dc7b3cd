"""One universe: everything that one seed decides."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from domain.common.environment import monotonic
from domain.common.errors import DomainError
from domain.identity import permissions as auth
from local.aws.scheduler import scheduled_event
from repositories.aws.clients import dynamodb
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table
from repositories.stats.rebuilding import Rebuilding
from tests.simulation.checks.end import check_end
from tests.simulation.checks.exports import check_exports
from tests.simulation.checks.flow import check_flow
from tests.simulation.checks.invariants import Watch
from tests.simulation.checks.payments import check_payments
from tests.simulation.checks.violation import ViolationError
from tests.simulation.in_place import in_place
from tests.simulation.workload import feed, hooks, people
from tests.simulation.workload.actors import Actor, World
from tests.simulation.workload.opening import prepare
from tests.simulation.workload.themes import THEMES
from tests.simulation.world.banks import Network, Unreliable
from tests.simulation.world.bucket import Bucket
from tests.simulation.world.client import Client, Faults
from tests.simulation.world.flow import Flow, Troubles
from tests.simulation.world.functions import Functions
from tests.simulation.world.model import Model, Profile
from tests.simulation.world.pool import Pool
from tests.simulation.world.scheduler import BEGINNING, Scheduler

_SWEEPS = {"flow": ["SweepDeliveries"], "payments": ["SweepPayments"], "exports": ["SweepExports"]}
"""Sweeps of a theme, beyond that of holds."""
_MAX_STEPS = 400_000


@dataclass(slots=True)
class Report:
    """What came of a universe."""

    seed: int
    theme: str
    violation: str = ""
    steps: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of a universe is run: all of it, unless a failing one is shrunk."""

    actors: int | None = None
    commands: int | None = None
    theme: str | None = None
    left_out: frozenset[tuple[int, int]] = frozenset()
    """Commands that are left out: number of the client, and of its command."""


class Universe:
    """A table, a pool, functions and clients."""

    def __init__(self, seed: int, plan: Plan) -> None:
        chance = Random(seed)
        self.theme = plan.theme or chance.choice(list(THEMES))
        faulty = chance.random() < 0.5
        rate = chance.choice((0.002, 0.01, 0.05)) if faulty else 0.0
        self.faults = Faults(*(rate * chance.random() for _ in range(5)))
        profile = Profile(
            commit_spread=chance.choice((0.0, 0.01, 0.05)),
            slow_commits=chance.choice((0.0, 0.05, 0.2)),
            index_lag=chance.choice((0.02, 0.2, 2.0)),
            unprocessed=chance.choice((0.0, 0.02, 0.1)),
        )
        actors, commands = chance.randint(2, 8), chance.randint(8, 25)
        self.pause = chance.choice((0.0, 0.02, 0.3))
        self.actors, self.commands = plan.actors or actors, plan.commands or commands
        self.left_out = plan.left_out
        self.crashes = chance.choice((0.0, 0.03)) if faulty else 0.0
        self.pool_faults = rate
        self.scheduler = Scheduler(chance)
        model = Model(self.scheduler, profile)
        self.watch = Watch(model)
        model.watch = self._look
        self.model = model
        self.client = Client(self.scheduler, model, Faults())
        self.pool = Pool(self.scheduler)
        self.world = World(self.scheduler, Functions(self.scheduler), self.watch, self.pool)
        self.flow = Flow(self.scheduler, self.world.functions)
        self.receivers = hooks.Receivers(self.world, rate * 10)
        self.network = Network(self.scheduler, self.world.functions, self.world.tenant, Random(seed))
        shares = (rate * 3 * chance.random() for _ in range(5)) if self.has_payments else ()
        self.unreliable = Unreliable(*shares)
        self.world.bucket = Bucket(self.scheduler)
        is_relayed = self.has_flow or self.has_exports
        self.troubles = Troubles(*(rate * 3 * chance.random() for _ in range(4)) if is_relayed else ())
        self.violation = ""
        self.report = Report(seed, self.theme)

    def run(self) -> Report:
        """Run it to its end, or to the first violation."""
        surroundings = in_place(self.client, self.pool, self.flow, self.receivers, self.network, self.world.bucket)
        with closing(self), surroundings:
            main = self.scheduler.spawn("main", self._main)
            self.scheduler.run(lambda: main.done or bool(self.violation) or self.scheduler.steps > _MAX_STEPS)
        if not self.violation and main.error is not None:
            self.violation = str(main.error) if isinstance(main.error, ViolationError) else repr(main.error)
        if not self.violation and not main.done:
            self.violation = "It did not end."
        report, faults = self.report, self.client.counted
        faults["crashed"] += self.world.functions.crashed
        report.violation, report.steps, report.trace = self.violation, self.scheduler.steps, self.scheduler.trace
        report.commands, report.faults, report.codes = self.world.commands, faults, self.world.codes
        return report

    def close(self) -> None:
        """Close what it holds outside of itself."""
        self.network.banks.close()

    @property
    def has_flow(self) -> bool:
        """Whether events leave the table."""
        return self.theme == "flow"

    @property
    def has_exports(self) -> bool:
        """Whether data is exported."""
        return self.theme == "exports"

    @property
    def has_payments(self) -> bool:
        """Whether payment providers are connected."""
        return self.theme == "payments"

    def _look(self, commit: Any) -> None:
        if self.has_flow or self.has_exports:
            self.flow.capture(commit)
        try:
            self.watch(commit)
        except ViolationError as violation:
            self._violated(str(violation))

    def _violated(self, what: str) -> None:
        self.scheduler.note(f"VIOLATION {what}")
        self.violation = self.violation or what

    def _main(self) -> None:
        prepare(self.world, self.theme, self.network)
        self.client.faults, self.pool.failing = self.faults, self.pool_faults
        self.world.functions.crashes, self.flow.troubles = self.crashes, self.troubles
        ended: list[bool] = []
        self._begin_surroundings(lambda: bool(ended) or bool(self.violation))
        acting = [self.scheduler.spawn(f"client-{n}", lambda n=n: self._act(n)) for n in range(self.actors)]  # type: ignore[misc]
        sweeping = self.scheduler.spawn("sweeper", lambda: self._sweep(until=lambda: all(task.done for task in acting)))
        self.scheduler.join([*acting, sweeping])
        for task in acting:
            if task.error:
                raise task.error
        self.client.faults, self.pool.failing, self.world.functions.crashes = Faults(), 0.0, 0.0
        self.model.profile = replace(self.model.profile, unprocessed=0.0)
        self.scheduler.wait(130)
        for _ in range(20):
            self._sweep_once()
            self.scheduler.wait(60)
        if self.theme == "users":
            people.invite_everybody(Actor(self.world, "main"))
            self.scheduler.wait(60)
        self._end_surroundings()
        ended.append(True)
        feed.follow_to_the_end(Actor(self.world, "main"))
        self.model.expire()
        self._check()

    def _begin_surroundings(self, until: Callable[[], bool]) -> None:
        """Let what is around the table do its work, until something holds."""
        if self.has_payments:
            self.network.unreliable = self.unreliable
            self.scheduler.spawn("banks", lambda: self.network.deliver(until))
        if self.has_flow:
            self.flow.begin(until, "events", "deliveries")
            self.scheduler.spawn("rebuilding", self._rebuild)
        if self.has_exports:
            self.world.bucket.failing = self.troubles.refused
            self.flow.begin(until, "exports")

    def _end_surroundings(self) -> None:
        if self.has_payments:
            self._end_payments()
        if self.has_flow:
            self._end_flow()
        if self.has_exports:
            self._end_exports()

    def _check(self) -> None:
        """Check what must hold at the end."""
        check_end(self.world, self.model)
        if self.has_flow:
            check_flow(self.world, self.model, self.flow)
        if self.has_payments:
            check_payments(self.world, self.model)
        if self.has_exports:
            check_exports(self.world, self.model)

    def _end_payments(self) -> None:
        """Let all payments be decided, and the books be reconciled, now that nothing fails."""
        self.network.unreliable = Unreliable()
        for _ in range(35):  # less than the three hours after which sales count as lost
            self._sweep_once()
            self.scheduler.wait(240)

    def _end_exports(self) -> None:
        """Let all exports be written, now that nothing fails: sweeps find those without progress."""
        self.flow.troubles, self.world.bucket.failing = Troubles(), 0.0
        for _ in range(60):
            self._sweep_once()
            self.scheduler.wait(120)
            if not any(row["type"] == "export" and "gsi3sk" in row for row in self.model.rows.values()):
                return

    def _end_flow(self) -> None:
        """Let everything arrive, now that nothing fails: sweeps find what was lost."""
        self.flow.troubles, self.receivers.failing = Troubles(), 0.0
        settled = 0
        for _ in range(400):
            self.scheduler.join([self.world.functions.trigger("RelayLostEvents", scheduled_event(BEGINNING))], 25)
            self._sweep_once()
            self.scheduler.wait(120)
            is_due = any("gsi3sk" in row for row in self.model.rows.values())
            # What is lost counts as lost after ten minutes.
            settled = settled + 1 if self.flow.idle and not is_due else 0
            if settled > 6:
                return

    def _rebuild(self) -> None:
        """Count all orders anew, with interruptions."""
        chance = self.scheduler.chance
        self.scheduler.wait(chance.random() * 20)
        table = Table(dynamodb(), "simulated", Meter())
        for _ in range(30):
            caller = auth.Caller(self.world.tenant, "system", auth.Role.OWNER)
            session = Session(table, caller, BEGINNING, monotonic() + 3600)
            try:
                rebuilding = Rebuilding(session)
                generation = rebuilding.begin()
                self.scheduler.wait(32)
                for _ in rebuilding.count():
                    if chance.random() < 0.05:
                        break
                else:
                    rebuilding.finish(generation)
                    return
            except DomainError:
                self.scheduler.wait(5)

    def _act(self, number: int) -> None:
        chance = self.scheduler.chance
        actor = Actor(self.world, f"client-{number}", chance.choice((30.0, 30.0, 1.5)))
        for index in range(self.commands):
            if self.violation:
                return
            if (number, index) in self.left_out:
                continue
            chance.choice(THEMES[self.theme])(actor)
            if number == 0 and index % 4 == 0:
                feed.follow(actor)
            self.scheduler.wait(chance.expovariate(1) * self.pause)

    def _sweep(self, until: Callable[[], bool]) -> None:
        while not until():
            self._sweep_once()
            self.scheduler.wait(60 if self.pause else 5)

    def _sweep_once(self) -> None:
        again = self.scheduler.chance.random() < 0.1  # The scheduler delivers at least once.
        names = ["ExpireHolds", *_SWEEPS.get(self.theme, ())]
        tasks = [
            self.world.functions.trigger(name, scheduled_event(BEGINNING)) for name in names for _ in range(1 + again)
        ]
        self.scheduler.join(tasks, 25)


def run(seed: int, plan: Plan | None = None) -> Report:
    """Run the universe of a seed."""
    return Universe(seed, plan or Plan()).run()
