"""Shops that are paid through a simulated provider."""

import pytest

from local.simulators.banks import Banks
from repositories.payments import credentials
from tests.integration.payments.common import Clock, Till
from tests.shop import Shop


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def till(bank: tuple[Banks, str], shop: Shop) -> Till:
    """A shop with a Stripe account."""
    credentials.cache.clear()
    return Till.opened(shop, *bank)
