"""Rows of discounts, and of customers' uses of them.

`head` has what only edits change. Uses are another attribute, so that an order with a code writes no index.
"""

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from domain.common.codes import canonical_code
from domain.common.ids import derived_id
from domain.common.money import Money
from domain.orders.redemption import DiscountTerms
from repositories.dynamodb.codec import Row

COLLECTION = "DISCOUNT"
ARCHIVED = "archived"


def discount_id_of(tenant: str, code: str) -> str:
    """Return the id of the discount with a code. It is derived from the code, so it needs no lookup."""
    seed = hashlib.sha256(f"{tenant}\n{canonical_code(code)}".encode()).digest()
    return derived_id("discount", datetime.fromtimestamp(0, UTC), seed)


def terms_from_row(row: Row, use: Row | None) -> DiscountTerms:
    """Return the terms of a discount's row, for the customer whose uses are in `use`."""
    head = row["head"]
    return DiscountTerms(
        id=head["id"],
        code=head["code"],
        percent=Decimal(head["percent"]) if head["percent"] else None,
        amount=money_from(head["amount"]),
        min_subtotal=money_from(head["min_subtotal"]),
        starts_at=_time(head["starts_at"]),
        ends_at=_time(head["ends_at"]),
        max_uses=head["max_uses"],
        max_uses_per_customer=head["max_uses_per_customer"],
        uses=row["uses"],
        uses_by_customer=use["uses"] if use else 0,
        is_archived=head["status"] == ARCHIVED,
    )


def money_from(stored: list[Any] | None) -> Money | None:
    """Return the amount of a stored pair of minor units and currency."""
    return Money.of_minor(*stored) if stored else None


def _time(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
