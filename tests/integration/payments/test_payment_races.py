"""Settings of payment providers, and payments, that two requests change at once."""

import pytest

from local.simulators.banks import Banks
from repositories.payments import credentials
from tests.faults import interleaved
from tests.integration.flow.common import Flow
from tests.integration.payments.tills import StripeTill
from tests.shop import Shop


@pytest.fixture
def two(bank: tuple[Banks, str], shop: Shop, rival: Shop) -> tuple[StripeTill, StripeTill]:
    """A shop whose Stripe account is not set yet, and the same owner in another process."""
    credentials.cache.clear()
    return StripeTill(shop, *bank), StripeTill(rival, *bank)


def test_a_provider_that_is_set_between_is_changed_after_that(two: tuple[StripeTill, StripeTill]) -> None:
    till, other = two
    for _ in range(2):
        with interleaved(lambda: other.set(enabled=True)):
            assert till.set(enabled=True).status == 200
    events = [event for row in Flow(till.shop).event_rows() for event in row["events"]]
    assert sorted(int(each["sequence"]) for each in events if each["subject"] == "provider/stripe") == [1, 2, 3, 4]


def test_a_request_that_comes_twice_at_once_begins_one_payment(two: tuple[StripeTill, StripeTill]) -> None:
    """The other one is captured before the first has stored its payment."""
    till, other = two
    till.open()
    order = till.order()

    def pay() -> None:
        payment = other.pay(order, "k").json
        till.confirm(payment)
        assert other.shop.post(f"/payments/{payment['id']}/refresh", None).json["status"] == "captured"

    with interleaved(pay):
        assert till.pay(order, "k").json["status"] == "captured"
    [payment] = till.shop.get(f"/orders/{order}/payments").json["items"]
    assert payment["status"] == "captured"
    assert till.state(order) == ("paid", "paid")
