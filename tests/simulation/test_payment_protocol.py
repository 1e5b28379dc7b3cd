"""Model checking of the payment protocol: every state that two payments of one order and two workers can reach.

The workers may die anywhere, customers confirm at any moment, authorisations lapse, orders expire, captures are
refused. The steps are those of `domain.payments.protocol`; the world around them is written here.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest

from domain.payments import protocol
from domain.payments.protocol import REQUESTS, SETTLED, STEPS, Held, Payable, Request, Stage, Step


class Pay(NamedTuple):
    """A payment: the stored stage (None: it was not begun), and what the provider holds (None: it knows none)."""

    stage: Stage | None = None
    held: Held | None = None
    was_captured: bool = False
    """Whether a capture was answered: another one with its key has no effect."""


@dataclass(frozen=True, slots=True)
class Shop:
    """An order (`pending`, `paid` or `over`), which payment has locked it, its payments, and what was posted."""

    order: str = "pending"
    lock: int | None = None
    payments: tuple[Pay, Pay] = (Pay(), Pay())
    sales: int = 0
    owed: int = 0

    def put(self, number: int, **changes: object) -> "Shop":
        """Return it with one payment changed."""
        changed = self.payments[number]._replace(**changes)  # type: ignore[arg-type]
        first, second = self.payments
        return replace(self, payments=(first, changed) if number else (changed, second))


class Worker(NamedTuple):
    """A worker at a payment: the stage that it read, and what it was answered (None: not yet)."""

    number: int
    seen: Stage
    answer: Held | None = None


type Rules = Callable[[Stage, Held, Payable], Step]


@dataclass(frozen=True, slots=True)
class World:
    """What is assumed: whether confirmation moves the money at once, and which guard is missing."""

    is_automatic: bool = False
    missing: str = ""
    rules: Rules = protocol.next_step

    def moves(self, shop: Shop) -> Iterator[Shop]:
        """Yield what customers, providers and time may do."""
        for number, (stage, held, _) in enumerate(shop.payments):
            if stage is None and shop.order == "pending":
                yield shop.put(number, stage=Stage.STARTED)
            if held is Held.NOTHING:
                yield shop.put(number, held=Held.MONEY if self.is_automatic else Held.AUTHORIZATION)
            if held is Held.AUTHORIZATION:
                yield shop.put(number, held=Held.ENDED)
            if stage is Stage.CAPTURING and held is Held.MONEY:  # in the provider's dashboard
                yield shop.put(number, held=Held.GIVEN_BACK)
            if stage is Stage.CREATED:
                yield shop.put(number, stage=protocol.cancelled(stage))
        if shop.order == "pending" and (shop.lock is None or self.missing == "expiry looks at the lock"):
            yield replace(shop, order="over")

    def asked(self, shop: Shop, worker: Worker) -> Iterator[Shop]:
        """Yield what may come of asking the provider."""
        held, number = shop.payments[worker.number].held, worker.number
        match REQUESTS[worker.seen], held:
            case Request.CREATE, None:
                yield shop.put(number, held=Held.NOTHING)
            case Request.CAPTURE, Held.AUTHORIZATION if not shop.payments[number].was_captured:
                for after in (Held.MONEY, Held.ENDED, Held.NOTHING):
                    yield shop.put(number, held=after, was_captured=True)
            case Request.VOID, Held.NOTHING | Held.AUTHORIZATION:
                yield shop.put(number, held=Held.ENDED)
            case Request.REFUND, Held.MONEY:
                yield shop.put(number, held=Held.GIVEN_BACK)
                yield shop
            case _:
                yield shop

    def noted(self, shop: Shop, worker: Worker) -> Shop:
        """Return the shop after the worker's transaction, which fails if what it read has changed."""
        number, stage = worker.number, shop.payments[worker.number].stage
        assert worker.answer is not None
        if stage is not worker.seen and self.missing != "the stage is as read":
            return shop
        is_free = shop.lock in {None, number} or self.missing == "one lock"
        payable = Payable.OVER if shop.order != "pending" else Payable.FREE if is_free else Payable.LOCKED
        step = self.rules(worker.seen, worker.answer, payable)
        if step is Step.WAIT:
            return shop
        after = shop.put(number, stage=STEPS[step])
        match step:
            case Step.LOCK:
                return replace(after, lock=number)
            case Step.FINISH:
                return replace(after, order="paid", lock=None, sales=shop.sales + 1)
            case Step.REOPEN | Step.UNLOCK:
                return replace(after, lock=None)
            case Step.BOOK_LATE:
                return replace(after, owed=shop.owed + 1)
            case Step.GIVE_BACK:
                return replace(after, owed=shop.owed - 1)
        return after

    def works(self, shop: Shop, workers: tuple[Worker, ...]) -> Iterator[tuple[Shop, tuple[Worker, ...]]]:
        """Yield what workers may do next; each may also die."""
        for place, worker in enumerate(workers):
            others = workers[:place] + workers[place + 1 :]
            yield shop, others
            if worker.answer is None:
                for after in self.asked(shop, worker):
                    yield after, _sorted(*others, worker._replace(answer=_answer(after, worker)))
            else:
                yield self.noted(shop, worker), others
        if len(workers) < 2:
            for number, (stage, *_) in enumerate(shop.payments):
                if stage is not None and stage not in SETTLED:
                    yield shop, _sorted(*workers, Worker(number, stage))


def _answer(shop: Shop, worker: Worker) -> Held:
    """Return what a worker is answered: a capture that was refused before is refused again."""
    _, held, was_captured = shop.payments[worker.number]
    assert held is not None
    is_refused = worker.seen is Stage.CAPTURING and held is Held.AUTHORIZATION and was_captured
    return Held.NOTHING if is_refused else held


def _sorted(*workers: Worker) -> tuple[Worker, ...]:
    return tuple(sorted(workers, key=str))


def _is_taken(pay: Pay) -> bool:
    """Return whether money was taken; what was refunded in the dashboard after its order was paid counts as taken."""
    return pay.held is Held.MONEY or (pay.held is Held.GIVEN_BACK and pay.stage is Stage.CAPTURED)


def _wrong(shop: Shop, world: World) -> Iterator[str]:
    taken = sum(_is_taken(pay) for pay in shop.payments)
    paid = any(pay.stage is Stage.CAPTURED and _is_taken(pay) for pay in shop.payments)
    if shop.sales > 1:
        yield "posted twice"
    if shop.order == "paid" and not (paid and shop.sales == 1):
        yield "paid without money or posting"
    if shop.order == "over" and shop.sales:
        yield "over and posted"
    if not world.is_automatic and (taken > 1 or (shop.order == "over" and taken)):
        yield "captured what is not paid"


def _settles(shop: Shop, world: World) -> bool:
    """Return whether sweeps alone settle a state, once customers have given up and the order's time is over."""
    for turn in range(30):
        number = turn % 2
        stage, held, _ = shop.payments[number]
        if stage is None or stage in SETTLED:
            continue
        if stage is Stage.CREATED and held is Held.NOTHING and shop.order == "pending" and shop.lock is None:
            shop = replace(shop, order="over")
        worker = Worker(number, stage)
        shop = next(world.asked(shop, worker))
        shop = world.noted(shop, worker._replace(answer=_answer(shop, worker)))
    taken = sum(_is_taken(pay) for pay in shop.payments)
    is_still = all(pay.stage is None or pay.stage in SETTLED for pay in shop.payments)
    open_ones = any(pay.held in {Held.NOTHING, Held.AUTHORIZATION} for pay in shop.payments)
    return is_still and not open_ones and not shop.owed and shop.lock is None and taken == shop.sales


def explore(world: World) -> Iterator[str]:
    """Yield a line for each state: what is wrong in it, or nothing."""
    start: tuple[Shop, tuple[Worker, ...]] = (Shop(), ())
    seen, shops, queue = {start}, set[Shop](), deque([start])
    while queue:
        shop, workers = queue.popleft()
        wrong = [*_wrong(shop, world)]
        if shop not in shops:
            shops.add(shop)
            wrong += [] if _settles(shop, world) else ["not settled by sweeps"]
        yield ", ".join(wrong)
        for state in [*((each, workers) for each in world.moves(shop)), *world.works(shop, workers)]:
            if state not in seen:
                seen.add(state)
                queue.append(state)


@pytest.mark.parametrize("is_automatic", [False, True])
def test_money_order_and_books_agree_in_every_state(is_automatic: bool) -> None:
    states = [*explore(World(is_automatic))]
    assert len(states) > 10_000
    assert not any(states)


@pytest.mark.parametrize("guard", ["expiry looks at the lock", "one lock", "the stage is as read"])
def test_every_guard_is_needed(guard: str) -> None:
    assert any(explore(World(missing=guard)))


def _but(stage: Stage, held: Held, payable: Payable, step: Step) -> Rules:
    def rules(*asked: object) -> Step:
        return step if asked == (stage, held, payable) else protocol.next_step(*asked)  # type: ignore[arg-type]

    return rules


_CHOICES = [
    (Stage.CREATED, Held.AUTHORIZATION, Payable.OVER, Step.LOCK),
    (Stage.CREATED, Held.AUTHORIZATION, Payable.OVER, Step.WAIT),
    (Stage.CREATED, Held.NOTHING, Payable.OVER, Step.WAIT),
    (Stage.CREATED, Held.ENDED, Payable.FREE, Step.WAIT),
    (Stage.CAPTURING, Held.ENDED, Payable.FREE, Step.FINISH),
    (Stage.CAPTURING, Held.ENDED, Payable.FREE, Step.WAIT),
    (Stage.CAPTURING, Held.MONEY, Payable.FREE, Step.WAIT),
    (Stage.CAPTURING, Held.NOTHING, Payable.FREE, Step.WAIT),
    (Stage.CAPTURING, Held.NOTHING, Payable.FREE, Step.REOPEN),
    (Stage.CAPTURING, Held.GIVEN_BACK, Payable.FREE, Step.WAIT),
    (Stage.CREATED, Held.MONEY, Payable.OVER, Step.CLOSE),
    (Stage.CREATED, Held.MONEY, Payable.OVER, Step.FINISH),
    (Stage.VOIDING, Held.MONEY, Payable.OVER, Step.CLOSE),
    (Stage.RETURNING, Held.MONEY, Payable.OVER, Step.GIVE_BACK),
]


@pytest.mark.parametrize("choice", _CHOICES, ids=" ".join)
def test_every_choice_matters(choice: tuple[Stage, Held, Payable, Step]) -> None:
    rules = _but(*choice)
    assert any(explore(World(rules=rules))) or any(explore(World(is_automatic=True, rules=rules)))
