"""Payments and refunds of orders, posted to the ledger in the transaction that changes the order."""

from dataclasses import dataclass

from domain.common.ids import new_id
from domain.common.pages import Page
from domain.orders import Order, OrderStatus, PaymentStatus
from domain.payments import NewPayment, Payment, Refund
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale, require_absent
from repositories.ledger.posting import COMMIT_SECONDS
from repositories.orders.repository import OrderRepository, moved_event
from repositories.orders.rows import StoredOrder, payment_from_row, payment_to_row
from repositories.payments.postings import post_payment, post_refund


@dataclass(frozen=True, slots=True)
class PaymentRepository:
    """The payments of the caller's tenant."""

    session: Session

    @property
    def orders(self) -> OrderRepository:
        """The repository of the orders to pay or refund."""
        return OrderRepository(self.session)

    @uses(IamAction.GET, IamAction.BATCH_GET)
    @retry_on_conflict
    def of_order(self, order_id: str) -> Page[Payment]:
        """Return the payments of an order. Raises NotFound, Contention."""
        stored, row = self._with_payment(order_id)
        if row is None:
            return Page(items=[], next_cursor=None)
        return Page(items=[payment_from_row(row, stored.order)], next_cursor=None)

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def refund(self, order_id: str, refund: Refund) -> Order:
        """Refund an order, post the reversal and release its stock. Raises NotFound, InvalidState, Contention."""
        stored, payment = self._with_payment(order_id)
        refunded = stored.order.moved(OrderStatus.REFUNDED, self.session.caller.subject, self.session.at)
        tx = self.orders.moving(stored, refunded)
        events = post_refund(tx, self.session, refunded, payment["transaction_id"] if payment else None)
        self.session.within(COMMIT_SECONDS).commit(tx, refunded, moved_event(refunded, reason=refund.reason), *events)
        return refunded

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.PUT)
    @retry_on_conflict
    def pay(self, order_id: str, new: NewPayment) -> Payment:
        """Record the payment of an order, captured at once, and post it. Raises NotFound, InvalidState, Contention."""
        stored = self.orders.read(order_id)
        paid = stored.order.moved(OrderStatus.PAID, self.session.caller.subject, self.session.at)
        tx = self.orders.moving(stored, paid)
        transaction, events = post_payment(tx, self.session, paid)
        payment = Payment(
            id=new_id("payment"),
            order_id=paid.id,
            provider=new.provider,
            status="captured",
            amount=paid.total,
            reference=new.reference,
            transaction_id=transaction,
            created_at=paid.updated_at,
        )
        tx.put("add the payment", payment_to_row(self.session.tenant, payment))
        self.session.within(COMMIT_SECONDS).commit(tx, payment, moved_event(paid, payment_id=payment.id), *events)
        return payment

    def _with_payment(self, order_id: str) -> tuple[StoredOrder, Row | None]:
        """Return an order and the row of its payment. Raises NotFound; Stale if one of them is not visible yet."""
        key = self.orders.key(order_id)
        paid_by = keys.payment(self.session.tenant, order_id, 1)
        rows = self.session.read([key, paid_by])
        if key not in rows:
            require_absent(self.session.table, [key])
        stored = self.orders.reached(rows.get(key))
        is_paid = stored.order.payment_status is not PaymentStatus.UNPAID
        if is_paid != (paid_by in rows):
            # The payment and the order's status were committed together, and one is not visible yet.
            raise Stale
        return stored, rows.get(paid_by)
