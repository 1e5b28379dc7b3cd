"""Fixtures of exports."""

import pytest

from repositories.exports import reading, walking
from tests.integration.exports.exporting import Exporting
from tests.shop import Shop


@pytest.fixture
def exporting(shop: Shop) -> Exporting:
    """Exports of a shop."""
    return Exporting(shop)


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two entries a shard, and parts of five rows."""
    monkeypatch.setattr(walking, "PAGE", 2)
    monkeypatch.setattr(reading, "MAX_ROWS", 5)


@pytest.fixture
def few_orders(shop: Shop, small_parts: None) -> list[str]:
    item = shop.add()["id"]
    return [shop.order({item: 1}).json["id"] for _ in range(9)]
