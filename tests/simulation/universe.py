"""One universe: everything that one seed decides."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from types import SimpleNamespace
from typing import Any

from domain.common.environment import using
from handlers.http.telemetry import logger
from local.scheduler import scheduled_event
from repositories.aws import clients
from repositories.aws.settings import settings
from repositories.identity import traded_currencies
from repositories.paging import cursors
from tests.simulation.checks.end import check_end
from tests.simulation.checks.invariants import Watch
from tests.simulation.checks.violation import ViolationError
from tests.simulation.workload import books, feed, parts, people, trade
from tests.simulation.workload.actors import Actor, World
from tests.simulation.world.client import Client, Faults
from tests.simulation.world.functions import Functions
from tests.simulation.world.model import Model, Profile
from tests.simulation.world.pool import Pool
from tests.simulation.world.scheduler import BEGINNING, Instance, Scheduler

type Act = Callable[[Actor], None]

THEMES: dict[str, tuple[Act, ...]] = {
    "stock": (trade.place, trade.place, trade.count, trade.split, trade.edit, trade.archive, trade.look, trade.move),
    "orders": (
        *(trade.place, trade.move, trade.move, trade.move, trade.look, books.trial),
        *(parts.ship_part, parts.refund_part, parts.change_code),
    ),
    "codes": (
        *(trade.order_with_code, trade.order_with_code, trade.order_with_code, trade.order_with_code),
        *(trade.move, parts.change_code, parts.change_code, parts.change_code),
    ),
    "books": (
        *(books.transfer, books.transfer, books.reverse, books.reverse),
        *(books.balance, books.balance, books.trial, books.stripe, books.restripe),
    ),
    "users": (people.invite, people.oust, people.oust, people.sign_up, people.find, people.buy),
    "catalogue": (
        *(trade.create_with_sku, trade.create_with_sku, trade.find, trade.edit, trade.edit, trade.archive),
        *(trade.place, trade.look),
    ),
    "accounts": (books.open_or_close, books.open_or_close, books.open_or_close, books.transfer, people.rename_tenant),
    "all": (
        *(trade.place, trade.move, trade.count, trade.split, trade.edit, trade.create, trade.look),
        *(books.transfer, books.reverse, books.trial, people.invite, people.oust),
        *(parts.ship_part, parts.refund_part),
    ),
}
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
        self.violation = ""
        self.report = Report(seed, self.theme)

    def run(self) -> Report:
        """Run it to its end, or to the first violation."""
        with _in_place(self.client, self.pool):
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

    def _look(self, commit: Any) -> None:
        try:
            self.watch(commit)
        except ViolationError as violation:
            self._violated(str(violation))

    def _violated(self, what: str) -> None:
        self.scheduler.note(f"VIOLATION {what}")
        self.violation = self.violation or what

    def _main(self) -> None:
        self._prepare()
        self.client.faults, self.pool.failing = self.faults, self.pool_faults
        self.world.functions.crashes = self.crashes
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
        feed.follow_to_the_end(Actor(self.world, "main"))
        self.model.expire()
        check_end(self.world, self.model)

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
        tasks = [self.world.functions.trigger("ExpireHolds", scheduled_event(BEGINNING)) for _ in range(1 + again)]
        self.scheduler.join(tasks, 25)

    def _prepare(self) -> None:
        world, actor, chance = self.world, Actor(self.world, "main"), self.scheduler.chance
        operator = actor.caller("arn:aws:iam::0:user/operator")
        owner, open_shop = {"email": "owner@example.com", "name": "The first owner"}, {"allow_sign_up": True}
        tenant = {"id": world.tenant, "name": "Sim", "owner": owner, "settings": open_shop | trade.SHOP}
        actor.ask("CreateTenant", body=tenant, key="tenant", caller=operator)
        world.owners += sorted(self.watch.owners)
        world.tokens |= dict.fromkeys(world.owners, int(BEGINNING.timestamp()))
        for number in range(chance.randint(1, 3)):
            body = {
                "name": f"n{number}",
                "price": {"amount": "5.00", "currency": "EUR"},
                "stock": chance.choice((5, 20, 60)),
            }
            answer = actor.ask("CreateItem", body=body, key=f"item-{number}")
            if answer:
                world.items.append(answer.body["id"])
        for item in world.items:
            if chance.random() < 0.6:
                actor.ask("SplitStock", {"item_id": item}, {"count": chance.choice((2, 4))}, key=f"split-{item}")
        if self.theme == "catalogue":
            body = {"name": "uncounted", "price": {"amount": "5.00", "currency": "EUR"}}
            answer = actor.ask("CreateItem", body=body, key="uncounted")
            world.items += [answer.body["id"]] if answer else []
        for code, terms in parts.CODES.items() if self.theme in {"orders", "codes", "all"} else ():
            answer = actor.ask("CreateDiscount", body={"code": code} | terms, key=code)
            world.discounts += [answer.body["id"]] if answer else []
        if self.theme in {"books", "accounts", "all"}:
            self._open_accounts(actor)

    def _open_accounts(self, actor: Actor) -> None:
        for code, kind, floor in (
            ("bank", "asset", "0"),
            ("till", "asset", "0"),
            ("fund", "equity", None),
            ("rest", "asset", None),
        ):
            body = {"code": code, "name": code, "type": kind, "currency": "EUR", "floor": floor}
            answer = actor.ask("OpenAccount", body=body, key=code)
            if answer:
                self.world.accounts.append(answer.body["id"])
                if floor:
                    self.world.floored.add(answer.body["id"])


@contextmanager
def _in_place(client: Client, pool: Pool) -> Iterator[None]:
    """Let the code meet the models instead of AWS."""
    real, level = clients._session, logger().log_level
    environment = dict(os.environ)
    os.environ |= {"TABLE_NAME": "simulated", "USER_POOL_ID": "simulated", "CURSOR_KEYS": "simulated"}
    made = {"dynamodb": client, "cognito-idp": pool}
    session: Any = SimpleNamespace(create_client=lambda name, **_: made[name])
    clients._session = lambda: session  # type: ignore[assignment]
    caches = (clients.dynamodb, clients.cognito, settings)
    for cache in caches:
        cache.cache_clear()
    traded_currencies.cache.clear()
    cursors.keys_cache.clear()
    logger().setLevel("CRITICAL")
    try:
        with using(Instance(client.scheduler)):
            yield
    finally:
        clients._session = real
        os.environ.clear()
        os.environ |= environment
        logger().setLevel(level)
        for cache in caches:
            cache.cache_clear()
        traded_currencies.cache.clear()
        cursors.keys_cache.clear()


def run(seed: int, plan: Plan | None = None) -> Report:
    """Run the universe of a seed."""
    return Universe(seed, plan or Plan()).run()
