"""Transaction steps that count uses of a discount, in the transaction of the order that uses it.

Every use is counted for its customer too, so that a limit for customers can be set later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from domain.common.errors import DiscountInvalid
from domain.orders.order import Order
from domain.orders.redemption import DiscountTerms
from repositories.discounts.rows import discount_id_of, terms_from_row
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Raises, Stale, WriteTransaction, require_absent


@dataclass(frozen=True, slots=True)
class StoredTerms:
    """The terms of a discount for a customer, as read; `edits` counts the discount's edits."""

    terms: DiscountTerms
    edits: int
    is_first_use: bool

    @classmethod
    def from_rows(cls, discount: Row, use: Row | None) -> Self:
        """Return the terms of a discount's row and of the row with the customer's uses."""
        return cls(terms_from_row(discount, use), discount["edits"], use is None)


def keys_of(tenant: str, code: str, customer_id: str) -> tuple[Key, Key]:
    """Return the keys of the discount with a code, and of its uses by a customer."""
    discount_id = discount_id_of(tenant, code)
    return keys.discount(tenant, discount_id), keys.discount_use(tenant, discount_id, customer_id)


def terms_of(session: Session, wanted: tuple[Key, Key], rows: Mapping[Key, Row]) -> StoredTerms | None:
    """Return the terms of a code for a customer, of rows that were read at `wanted` (`keys_of`).

    Returns None without such a code. Raises Stale if it is being written.
    """
    key, use = wanted
    if key not in rows:
        require_absent(session.table, [key])
        return None
    stored = StoredTerms.from_rows(rows[key], rows.get(use))
    if stored.terms.is_used_up_by_customer:
        # The rows may be of two moments, between which the limit was changed and a use given back.
        found = session.table.snapshot([key, use])
        if not found:
            raise Stale
        return StoredTerms.from_rows(*found)
    return stored


def count_use(tx: WriteTransaction, tenant: str, order: Order, stored: StoredTerms) -> None:
    """Add the steps that count the use of a code by an order.

    They raise DiscountInvalid if the code is used up, Stale if the discount was edited since, or on a conflict.
    """
    terms = stored.terms
    is_limited = terms.max_uses is not None
    tx.update(
        "use the discount code",
        keys.discount(tenant, terms.id),
        "SET uses = uses + :one, changes = changes + :one",
        condition="edits = :edits AND uses < :max" if is_limited else "edits = :edits",
        raises=_used_up(stored.edits),
        edits=stored.edits,
        one=1,
        **({"max": terms.max_uses} if is_limited else {}),
    )
    key = keys.discount_use(tenant, terms.id, order.customer_id)
    if stored.is_first_use:
        tx.create("count the customer's first use", new_row(key, "discount_use", uses=1), raises=Stale())
        return
    tx.update(
        "count the customer's use",
        key,
        "SET uses = uses + :one",
        condition="uses = :seen",
        raises=Stale(),
        one=1,
        seen=terms.uses_by_customer,
    )


def give_use_back(tx: WriteTransaction, tenant: str, order: Order) -> None:
    """Add the steps that give back the use of a code by an order, if it has one.

    The order's version condition guarantees that it is given back once.
    """
    if order.discount is None:
        return
    discount_id = order.discount.id
    change = "SET uses = uses - :one, changes = changes + :one"
    tx.update("give the use back", keys.discount(tenant, discount_id), change, one=1)
    of_customer = keys.discount_use(tenant, discount_id, order.customer_id)
    tx.update("give the customer's use back", of_customer, "SET uses = uses - :one", one=1)


def _used_up(edits: int) -> Raises:
    """Return the error of a code that cannot be used: used up, if it has not been edited."""

    def error(row: Row | None) -> Exception:
        if row and row["edits"] == edits:
            return DiscountInvalid("It has been used up.")
        return Stale()

    return error
