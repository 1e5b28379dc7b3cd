"""Rows of a provider's balance: movements that are in the books, disputes, payouts, and how far it was read."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from domain.common.model import json_of, to_rfc3339
from domain.payments.movements import Movement
from domain.payments.settlement import Dispute, Payout
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Position
from repositories.dynamodb.work_list import Work

DISPUTES, PAYOUTS = "DISPUTE", "PAYOUT"
"""Collections of the lists."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the balance of a provider is in the books, and what the last comparison said.

    Movements before `since` are in the books. While a walk from there on is under way, `walk` is its time, `page` the
    next page, and `waits` the time of the first movement that could not be posted yet.
    """

    account: str
    start: datetime
    """When the account was connected: what it had before is its opening."""
    since: datetime
    due: datetime
    version: int = 1
    walk: datetime | None = None
    page: str | None = None
    waits: datetime | None = None
    opening: tuple[tuple[str, int], ...] = ()
    """Balance by currency when the account was connected, in minor units."""
    checked_at: datetime | None = None
    differences: tuple[tuple[str, int], ...] = ()
    """What the balance had more than the books at that time, by currency; in minor units."""
    differs_since: datetime | None = None

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the cursor of a row."""
        fields: dict[str, Any] = {name: row.get(name) for name in ("account", "version", "page")}
        for name in ("start", "since", "due", *_TIMES):
            fields[name] = datetime.fromisoformat(row[name]) if row.get(name) else None
        for name in ("opening", "differences"):
            fields[name] = tuple(sorted(row[name].items()))
        return cls(**fields)

    def to_row(self, tenant: str, provider: str) -> Row:
        """Return its row, which is on the work list."""
        times = {name: to_rfc3339(value) for name in _TIMES if (value := getattr(self, name))}
        return new_row(
            keys.provider_cursor(tenant, provider),
            "provider_cursor",
            account=self.account,
            start=to_rfc3339(self.start),
            since=to_rfc3339(self.since),
            due=to_rfc3339(self.due),
            version=self.version,
            opening=dict(self.opening),
            differences=dict(self.differences),
            **times,
            **({"page": self.page} if self.page else {}),
            **work_keys.due(Work.RECONCILE, f"{tenant}.{provider}", self.due),
        )

    def changed(self, **fields: Any) -> Self:
        """Return the next version."""
        return replace(self, version=self.version + 1, **fields)


_TIMES = ("walk", "waits", "checked_at", "differs_since")
NEW_ACCOUNT = timedelta(minutes=1)
"""Time after which the balance of an account that was connected is read first."""


def movement_row(tenant: str, provider: str, movement: Movement, transaction_id: str | None) -> Row:
    """Return the row of a movement that is in the books; `transaction_id` is None if nothing was left to post."""
    return new_row(
        keys.movement(tenant, provider, movement.id),
        "movement",
        kind=movement.kind.value,
        amount=movement.amount,
        fee=movement.fee,
        currency=movement.currency,
        at=to_rfc3339(movement.at),
        about=movement.about,
        transaction_id=transaction_id,
    )


def dispute_row(tenant: str, dispute: Dispute, version: int, loss: str | None, at: datetime) -> Row:
    """Return the row of a dispute; `loss` is the transaction with which it was lost."""
    position = Position(to_rfc3339(dispute.created_at), dispute.id)
    return new_row(
        keys.dispute(tenant, dispute.provider, dispute.id),
        "dispute",
        shown=json_of(dispute),
        version=version,
        loss=loss,
        noted_at=to_rfc3339(at),
        **keys.listed(tenant, DISPUTES, position),
    )


def payout_row(tenant: str, payout: Payout, version: int, at: datetime) -> Row:
    """Return the row of a payout."""
    position = Position(to_rfc3339(payout.created_at), payout.id)
    return new_row(
        keys.payout(tenant, payout.provider, payout.id),
        "payout",
        shown=json_of(payout),
        version=version,
        noted_at=to_rfc3339(at),
        **keys.listed(tenant, PAYOUTS, position),
    )
