"""Fixtures of exports."""

import pytest

from tests.integration.exports.exporting import Exporting
from tests.shop import Shop


@pytest.fixture
def exporting(shop: Shop) -> Exporting:
    """Exports of a shop."""
    return Exporting(shop)
