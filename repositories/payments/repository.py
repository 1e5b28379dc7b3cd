"""Payments and refunds of orders, posted to the ledger in the transaction that changes the order."""

from dataclasses import dataclass

from domain.common.ids import new_id
from domain.common.model import Model, json_of
from domain.orders.order import Order
from domain.orders.parts import NewRefund, Refund
from domain.orders.refunding import Issue, Refunding, refund, refund_rest
from domain.orders.status import OrderStatus
from domain.payments import NewPayment, Payment
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.ledger.posting import COMMIT_SECONDS
from repositories.orders.payment_rows import payment_to_row
from repositories.orders.repository import OrderRepository, order_event
from repositories.orders.rows import StoredOrder
from repositories.payments.postings import post_payment, post_refund


@dataclass(frozen=True, slots=True)
class PaymentRepository:
    """The payments of the caller's tenant."""

    session: Session

    @property
    def orders(self) -> OrderRepository:
        """The repository of the orders to pay or refund."""
        return OrderRepository(self.session)

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def refund_rest(self, order_id: str, reason: str | None) -> Order:
        """Refund everything that is left of an order, and release its stock.

        Raises NotFound, InvalidState, Contention.
        """
        stored, payment = self.orders.with_payment(order_id)
        made = refund_rest(stored.order, stored.holds, self._issue(reason))
        self._commit(stored, made, payment, made.order)
        return made.order

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def refund(self, order_id: str, new: NewRefund) -> Refund:
        """Refund a part of an order. Raises NotFound, InvalidState, RefundTooLarge, ValidationFailed, Contention."""
        stored, payment = self.orders.with_payment(order_id)
        made = refund(stored.order, stored.holds, new, self._issue(new.reason))
        self._commit(stored, made, payment, made.refund)
        return made.refund

    def _issue(self, reason: str | None) -> Issue:
        return Issue(new_id("refund"), new_id("txn"), self.session.caller.subject, self.session.at, reason)

    def _commit(self, stored: StoredOrder, made: Refunding, payment: Row | None, answer: Model) -> None:
        tx = self.orders.changing(stored, made.order, made.changes)
        is_whole = made.refund.amount == made.order.total
        reverses = payment["transaction_id"] if payment and is_whole else None
        posted = post_refund(tx, self.session, made, reverses)
        data = {"refund_id": made.refund.id, "amount": json_of(made.refund.amount)}
        is_partial = made.order.status is not OrderStatus.REFUNDED
        event = order_event(made.order, "Refunded", is_partial=is_partial, reason=made.refund.reason, **data)
        self.session.within(COMMIT_SECONDS).commit(tx, answer, event, *posted)

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.PUT)
    @retry_on_conflict
    def pay(self, order_id: str, new: NewPayment) -> Payment:
        """Record the payment of an order, captured at once, and post it. Raises NotFound, InvalidState, Contention."""
        stored = self.orders.read(order_id)
        paid = stored.order.moved(OrderStatus.PAID, self.session.caller.subject, self.session.at)
        tx = self.orders.changing(stored, paid)
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
        self.session.within(COMMIT_SECONDS).commit(
            tx, payment, order_event(paid, "Paid", payment_id=payment.id), *events
        )
        return payment
