"""Every function may die before or after each of its calls, to the table or the provider; whatever goes on heals it.

At the end the provider's money, the captured payments, the books and the paid orders are the same, nothing was captured
for an order that is not paid, and nothing twice.
"""

import json
from datetime import timedelta

import pytest

from repositories.payments.providers import circuit
from tests.deaths import Death, KilledError, dying
from tests.integration.payments.clock import Clock, expire, sweep
from tests.integration.payments.till import Till


def _steps(till: Till, order: str) -> None:
    """A customer pays: each line is a function of its own."""
    payment = till.pay(order, "k").json
    if payment["status"] == "requires_action":
        till.confirm(payment)
    till.shop.post(f"/payments/{payment['id']}/refresh", None)


def _events(till: Till) -> None:
    """The customer confirms what there is, and events of it come twice, the last one first, and some never."""
    till.confirm_all()
    for event in till.events()[::2] * 2:
        if till.notify(json.dumps(event)).status == 204:
            till.process(event)


def _sweeps(clock: Clock) -> None:
    for minutes in (20, 31):
        clock.ahead = timedelta(minutes=minutes)
        sweep()
        expire()


_CALLS = {"stripe": 25, "paypal": 29}
"""Calls of a payment from its beginning to its end."""
_POINTS = [(provider, number) for provider, calls in _CALLS.items() for number in range(calls)]


@pytest.fixture
def till(request: pytest.FixtureRequest, provider: str, monkeypatch: pytest.MonkeyPatch) -> Till:
    """A shop with an account at a provider, whose circuit is read once however slow the machine is."""
    monkeypatch.setattr(circuit.CONFIG, "local_cache_max_age", 3600)
    found: Till = request.getfixturevalue(provider)
    return found


@pytest.mark.parametrize("provider", _CALLS)
def test_all_calls_are_tried(till: Till) -> None:
    order = till.order()
    with dying(10_000, "before") as reaper:
        _steps(till, order)
    assert reaper.calls == _CALLS[till.provider]


@pytest.mark.parametrize("healed_by", ["client", "webhook", "sweep"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("provider", "number"), _POINTS)
def test_a_death_at_any_call_is_healed(till: Till, clock: Clock, number: int, when: Death, healed_by: str) -> None:
    order = till.order()
    with dying(number, when), pytest.raises(KilledError):
        _steps(till, order)
    if healed_by == "client":
        _steps(till, order)
    elif healed_by == "webhook":
        _events(till)
    if healed_by != "client":
        _sweeps(clock)
    status, _ = till.state(order)
    held = till.held()
    captured = [each for each in held if each == "money"]
    payments = [each["status"] for each in till.shop.get(f"/orders/{order}/payments").json["items"]]
    assert len(held) <= 1
    assert till.money() == till.books() == 2598 * len(captured) == 2598 * payments.count("captured")
    assert (status == "paid") == bool(captured)
    assert {*held} <= {"money", "void", "nothing" if till.provider == "paypal" else "void"}
    if healed_by == "client":
        assert status == "paid"
    else:
        assert status in {"paid", "expired"}
    assert not {"processing", "requires_action"} & {*payments}
