"""Settings of payment providers that two owners change at once."""

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
