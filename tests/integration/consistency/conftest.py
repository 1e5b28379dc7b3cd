"""Fixtures of the consistency tests."""

import pytest


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("transaction", "table", "session"):
        monkeypatch.setattr(f"repositories.dynamodb.{module}.backoff_seconds", lambda _: 0.0)
