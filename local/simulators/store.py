"""What a simulator keeps: objects, answers by idempotency key, and webhooks to send, in one SQLite file."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, NamedTuple

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    account TEXT, kind TEXT, id TEXT, number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT, UNIQUE (account, kind, id)
);
CREATE TABLE IF NOT EXISTS keys (
    account TEXT, key TEXT, request TEXT, status INTEGER, body TEXT, PRIMARY KEY (account, key)
);
CREATE TABLE IF NOT EXISTS webhooks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT, body TEXT, tries INTEGER, due REAL
);
"""


class Kept(NamedTuple):
    """Answer that is kept for an idempotency key, and the request that it answered."""

    request: str
    status: int
    body: str


class Webhook(NamedTuple):
    """A webhook that is to be sent."""

    number: int
    endpoint: str
    body: str
    tries: int


class Store:
    """Objects by account and kind. Everything within `changing` takes effect at once, or not at all."""

    def __init__(self, path: Path | None) -> None:
        self._lock = RLock()
        self._database = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let one caller at a time change things."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def put(self, account: str, kind: str, made: dict[str, Any]) -> dict[str, Any]:
        """Add or replace an object, and return it."""
        self._database.execute(
            "INSERT INTO objects (account, kind, id, body) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account, kind, id) DO UPDATE SET body = excluded.body",
            (account, kind, made["id"], json.dumps(made)),
        )
        return made

    def get(self, account: str, kind: str, object_id: str) -> dict[str, Any] | None:
        """Return an object, or None."""
        with self._lock:
            row = self._database.execute(
                "SELECT body FROM objects WHERE account = ? AND kind = ? AND id = ?", (account, kind, object_id)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def all(self, account: str, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind, newest first."""
        with self._lock:
            rows = self._database.execute(
                "SELECT body FROM objects WHERE account = ? AND kind = ? ORDER BY number DESC", (account, kind)
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def accounts(self) -> list[str]:
        """Return the accounts that have anything."""
        with self._lock:
            rows = self._database.execute("SELECT DISTINCT account FROM objects ORDER BY account").fetchall()
        return [row[0] for row in rows]

    def kept(self, account: str, key: str) -> Kept | None:
        """Return the answer that is kept for a key, or None."""
        row = self._database.execute(
            "SELECT request, status, body FROM keys WHERE account = ? AND key = ?", (account, key)
        ).fetchone()
        return Kept(*row) if row else None

    def keep(self, account: str, key: str, kept: Kept) -> None:
        """Keep an answer for a key."""
        self._database.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?)", (account, key, *kept))

    def forget_keys(self, account: str) -> None:
        """Forget all keys of an account."""
        with self._lock:
            self._database.execute("DELETE FROM keys WHERE account = ?", (account,))

    def send(self, endpoint: str, body: str, due: float) -> None:
        """Add a webhook to send at a time."""
        self._database.execute(
            "INSERT INTO webhooks (endpoint, body, tries, due) VALUES (?, ?, 0, ?)", (endpoint, body, due)
        )

    def due(self, now: float) -> list[Webhook]:
        """Return the webhooks that are to be sent now."""
        with self._lock:
            rows = self._database.execute(
                "SELECT number, endpoint, body, tries FROM webhooks WHERE due <= ? ORDER BY number", (now,)
            ).fetchall()
        return [Webhook(*row) for row in rows]

    def sent(self, webhook: Webhook) -> None:
        """Remove a webhook."""
        with self._lock:
            self._database.execute("DELETE FROM webhooks WHERE number = ?", (webhook.number,))

    def again(self, webhook: Webhook, due: float) -> None:
        """Let a webhook be sent again at a time."""
        with self._lock:
            self._database.execute(
                "UPDATE webhooks SET tries = tries + 1, due = ? WHERE number = ?", (due, webhook.number)
            )
