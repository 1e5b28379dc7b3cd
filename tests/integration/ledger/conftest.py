"""Fixtures of the ledger tests."""

import random

import pytest


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("transaction", "session", "table"):
        monkeypatch.setattr(f"repositories.dynamodb.{name}.backoff_seconds", lambda _: random.uniform(0, 0.01))
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
