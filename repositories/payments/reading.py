"""Payments as they are read: of an order, or one by its id. Nothing here needs the ledger, which takes long to load."""

from collections.abc import Sequence
from dataclasses import dataclass

from domain.common.errors import NotFound
from domain.common.ids import is_id
from domain.common.pages import Page, PageRequest
from domain.identity.permissions import Permission
from domain.payments.payment import Payment
from domain.payments.protocol import Stage
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale, require_absent
from repositories.orders.repository import OrderRepository
from repositories.orders.rows import StoredOrder
from repositories.paging.lists import page_of
from repositories.payments.rows import StoredPayment


def read_payment(session: Session, payment_id: str) -> StoredPayment | None:
    """Return a payment as it is stored, or None. Raises Stale if it is being written."""
    row = session.find(keys.payment(session.tenant, payment_id))
    return StoredPayment.from_row(row) if row else None


@dataclass(frozen=True, slots=True)
class PaymentReader:
    """The payments of the caller's tenant. Customers reach their own."""

    session: Session

    @property
    def orders(self) -> OrderRepository:
        """The repository of the orders."""
        return OrderRepository(self.session)

    @uses(IamAction.GET)
    def get(self, payment_id: str) -> Payment:
        """Return a payment. Raises NotFound, Contention."""
        return self.shown(self.read(payment_id))

    @uses(IamAction.GET)
    def read(self, payment_id: str) -> StoredPayment:
        """Return a payment as it is stored. Raises NotFound, Contention."""

        def attempt() -> StoredPayment | None:
            return read_payment(self.session, payment_id)

        found = self.session.retry_on_conflict(attempt) if is_id("payment", payment_id) else None
        caller = self.session.caller
        if found is None or (found.customer_id != caller.subject and not caller.may(Permission.ORDERS_READ_ALL)):
            raise NotFound("payment")
        return found

    @uses(IamAction.GET)
    def shown(self, payment: StoredPayment) -> Payment:
        """Return a payment as clients see it; the order that it paid says whether it was refunded."""
        order = self.orders.get(payment.order_id) if payment.stage is Stage.CAPTURED else None
        return payment.shown(order)

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.SIGN)
    @retry_on_conflict
    def page(self, order_id: str, page: PageRequest) -> Page[Payment]:
        """Return a page of the payments of an order. Raises NotFound, CursorInvalid, Contention."""
        key = self.orders.key(order_id)
        row, listed = rows_of_order(self.session, key)
        if row is None:
            require_absent(self.session.table, [key])
        stored = self.orders.reached(row)
        found = payments_of_order(self.session, stored, listed)
        return page_of([each.shown(stored.order) for each in found], page, self.orders.parts(order_id, "payments"))


def rows_of_order(session: Session, key: Key) -> tuple[Row | None, list[Row]]:
    """Return the row of an order, or None, and the rows in its partition that name its payments."""
    values = {":pk": key.pk, ":first": key.sk, ":last": keys.payment_of_order("", "", "~").sk}
    rows = {row["sk"]: row for row in session.table.every("pk = :pk AND sk BETWEEN :first AND :last", values)}
    return rows.pop(key.sk, None), [*rows.values()]


def payments_of_order(session: Session, stored: StoredOrder, listed: Sequence[Row]) -> list[StoredPayment]:
    """Return the payments of an order, oldest first, given the rows of `rows_of_order`. Raises Stale."""
    older = [row for row in listed if row["sk"] == keys.first_payment("", "").sk]
    ids = {row["payment_id"] for row in listed if row not in older}
    ids |= {stored.paid_by.payment_id} if stored.paid_by else set()
    rows = session.table.batch_get(keys.payment(session.tenant, each) for each in ids)
    if len(rows) < len(ids):
        raise Stale  # rows of one transaction become visible one after the other
    found = [StoredPayment.from_row(row) for row in rows.values()]
    found += [StoredPayment.from_first_row(row, stored.order) for row in older]
    return sorted(found, key=lambda each: (each.created_at, each.id))
