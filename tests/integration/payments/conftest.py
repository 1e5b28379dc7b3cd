"""Shops that are paid through a simulated provider."""

import pytest

from local.simulators.banks import Banks
from repositories.payments import credentials
from tests.integration.payments.clock import Clock
from tests.integration.payments.tills import PayPalTill, StripeTill
from tests.shop import Shop


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, bank: tuple[Banks, str], database: str) -> Clock:
    return Clock(monkeypatch, bank[0])


@pytest.fixture
def stripe(bank: tuple[Banks, str], clock: Clock, shop: Shop) -> StripeTill:
    """A shop with a Stripe account."""
    credentials.cache.clear()
    return StripeTill(shop, *bank).open()


@pytest.fixture
def paypal(bank: tuple[Banks, str], clock: Clock, shop: Shop) -> PayPalTill:
    """A shop with a PayPal account."""
    credentials.cache.clear()
    return PayPalTill(shop, *bank).open()


@pytest.fixture(params=["stripe", "paypal"])
def till(request: pytest.FixtureRequest) -> StripeTill | PayPalTill:
    """A shop with an account at each provider in turn."""
    found: StripeTill | PayPalTill = request.getfixturevalue(request.param)
    return found
