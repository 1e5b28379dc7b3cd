"""Payments and refunds of orders, posted to the ledger in the transaction that changes the order."""

from dataclasses import dataclass

from domain.common.ids import new_id
from domain.orders import Order, OrderStatus
from domain.payments import NewPayment, Payment, Refund
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.ledger.posting import COMMIT_SECONDS
from repositories.orders.repository import OrderRepository, moved_event
from repositories.orders.rows import payment_to_row
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
    def refund(self, order_id: str, refund: Refund) -> Order:
        """Refund an order, post the reversal and release its stock. Raises NotFound, InvalidState, Contention."""
        stored, payment = self.orders.with_payment(order_id)
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
