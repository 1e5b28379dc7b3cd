"""Fixtures of the tests of webhooks."""

from collections.abc import Iterator

import pytest

from tests.integration.flow.hooks import Clock
from tests.integration.flow.receivers import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, database: str) -> Clock:
    return Clock(monkeypatch)
