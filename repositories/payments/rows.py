"""Rows of payments."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import MISSING

from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.orders.order import Order
from domain.orders.status import PaymentStatus
from domain.payments.payment import Payment, PaymentState
from domain.payments.protocol import SETTLED, Stage
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.work_list import Work
from repositories.orders.rows import PaidBy

MANUAL = "manual"
"""Provider of payments that are collected outside Tradepost."""
_REFUNDED = {PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED}
_STATES: dict[Stage, PaymentState] = {
    Stage.STARTED: "processing",
    Stage.CREATED: "requires_action",
    Stage.CAPTURING: "processing",
    Stage.CAPTURED: "captured",
    Stage.VOIDING: "processing",
    Stage.VOIDED: "voided",
    Stage.RETURNING: "processing",
    Stage.RETURNED: "refunded",
    Stage.FAILED: "failed",
}
_OPTIONAL = (
    *("external_id", "client_secret", "approve_url", "failure", "transaction_id", "reference", "digest"),
    "return_url",
)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class StoredPayment:
    """A payment as it is stored."""

    id: str
    order_id: str
    customer_id: str
    provider: str
    stage: Stage
    amount: Money
    created_at: datetime
    updated_at: datetime
    version: int = 1
    reference: str | None = None
    transaction_id: str | None = None
    external_id: str | None = None
    """Id at the provider."""
    client_secret: str | None = None
    approve_url: str | None = None
    return_url: str | None = None
    """Where the provider sends the customer afterwards."""
    failure: str | None = None
    hold_until: datetime | None = None
    """When the order's reservation would have ended had it not been locked."""
    digest: str | None = None
    """Digest of the body of the request that began it, if that had an Idempotency-Key."""

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the payment of a row."""
        hold = row.get("hold_until")
        return cls(
            id=row["id"],
            order_id=row["order_id"],
            customer_id=row["customer_id"],
            provider=row["provider"],
            stage=Stage(row["stage"]),
            amount=Money.of_minor(row["amount"], row["currency"]),
            created_at=datetime.fromisoformat(row["created_at"]),
            updated_at=datetime.fromisoformat(row["updated_at"]),
            version=row["version"],
            hold_until=datetime.fromisoformat(hold) if hold else None,
            **{name: row.get(name) for name in _OPTIONAL},
        )

    @classmethod
    def from_first_row(cls, row: Row, order: Order) -> Self:
        """Return the payment of an order that is older than payments by providers: a row without stage and order."""
        fields = {name: row[name] for name in ("id", "provider", "reference", "transaction_id")}
        at = datetime.fromisoformat(row["created_at"])
        amount = Money.of_minor(row["amount"], row["currency"])
        return cls(
            **fields,
            order_id=order.id,
            customer_id=order.customer_id,
            stage=Stage.CAPTURED,
            amount=amount,
            created_at=at,
            updated_at=at,
        )

    def to_row(self, tenant: str) -> Row:
        """Return its row. While it is not settled, the row is on the work list (gsi3)."""
        optional: dict[str, Any] = {name: value for name in _OPTIONAL if (value := getattr(self, name)) is not None}
        if self.hold_until:
            optional["hold_until"] = to_rfc3339(self.hold_until)
        return new_row(
            keys.payment(tenant, self.id),
            "payment",
            id=self.id,
            order_id=self.order_id,
            customer_id=self.customer_id,
            provider=self.provider,
            stage=self.stage.value,
            amount=self.amount.minor,
            currency=self.amount.currency,
            created_at=to_rfc3339(self.created_at),
            updated_at=to_rfc3339(self.updated_at),
            version=self.version,
            **optional,
            **(self.due(self.updated_at) if self.is_open else {}),
        )

    @property
    def is_open(self) -> bool:
        """Whether anything is still to be done."""
        return self.stage not in SETTLED

    def due(self, after: datetime) -> dict[str, str]:
        """Return the attributes of its next place on the work list: soon at first, later when it is older."""
        pause = min(max((after - self.created_at) / 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        return work_keys.due(Work.PAYMENT, self.id, after + pause)

    def moved(self, stage: Stage, at: datetime, **changes: Any) -> Self:
        """Return the next version of the payment, at another stage."""
        updated = max(at, self.updated_at)
        return replace(self, stage=stage, version=self.version + 1, updated_at=updated, **changes)

    @property
    def link(self) -> PaidBy:
        """What its order stores of it."""
        return PaidBy(self.id, self.provider, self.transaction_id)

    def shown(self, order: Order | None = None) -> Payment:
        """Return it as clients see it; the order that it paid says whether it was refunded."""
        state = _STATES[self.stage]
        if order and self.stage is Stage.CAPTURED and order.payment_status in _REFUNDED:
            state = "refunded" if order.payment_status is PaymentStatus.REFUNDED else "partially_refunded"
        can_confirm = self.stage is Stage.CREATED
        return Payment(
            id=self.id,
            order_id=self.order_id,
            provider=self.provider,
            status=state,
            amount=self.amount,
            reference=self.reference,
            client_secret=(can_confirm and self.client_secret) or MISSING,
            approve_url=(can_confirm and self.approve_url) or MISSING,
            failure=self.failure or MISSING,
            transaction_id=self.transaction_id,
            # A refund is a change of the payment as it is shown, and not of its row.
            version=self.version + (len(order.refunds) if order else 0),
            created_at=self.created_at,
            updated_at=max(self.updated_at, order.refunds[-1].created_at)
            if order and order.refunds
            else self.updated_at,
        )
