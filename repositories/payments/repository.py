"""Payments and refunds of orders, posted to the ledger in the transaction that changes the order."""

from dataclasses import dataclass, replace

from domain.common.ids import new_id
from domain.identity.permissions import Permission
from domain.orders.order import Order
from domain.orders.parts import NewRefund, Refund
from domain.orders.status import OrderStatus
from domain.payments.payment import NewPayment, Payment
from domain.payments.protocol import Stage
from repositories.dynamodb.iam_actions import PAYING, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import id_exists
from repositories.ledger.posting import COMMIT_SECONDS
from repositories.orders.repository import OrderRepository, order_event
from repositories.payments.by_provider import ProviderPayments
from repositories.payments.events import payment_event
from repositories.payments.postings import post_payment
from repositories.payments.refunds import Refunds
from repositories.payments.rows import MANUAL, StoredPayment


@dataclass(frozen=True, slots=True)
class PaymentRepository:
    """The payments of the caller's tenant."""

    session: Session

    @property
    def orders(self) -> OrderRepository:
        """The repository of the orders to pay or refund."""
        return OrderRepository(self.session)

    @uses(*PAYING)
    def refund_rest(self, order_id: str, reason: str | None) -> Order:
        """Refund everything that is left of an order, and release its stock.

        Raises NotFound, InvalidState, PaymentInProgress, Contention.
        """
        return Refunds(self.session, lambda order, _: order).make(order_id, None, reason).order

    @uses(*PAYING)
    def refund(self, order_id: str, new: NewRefund) -> Refund:
        """Refund a part of an order.

        Raises NotFound, InvalidState, PaymentInProgress, RefundTooLarge, ValidationFailed, Contention.
        """
        return Refunds(self.session, lambda _, refund: refund).make(order_id, new, new.reason).refund

    @uses(*PAYING)
    def refresh(self, payment_id: str) -> Payment:
        """Return a payment after its provider was asked.

        Raises NotFound, InvalidState, ProviderUnavailable, Contention.
        """
        return ProviderPayments(self.session).refresh(payment_id)

    @uses(*PAYING)
    def cancel(self, payment_id: str) -> Payment:
        """Void a payment that was not captured. Raises NotFound, InvalidState, PaymentInProgress, Contention."""
        return ProviderPayments(self.session).cancel(payment_id)

    @uses(*PAYING)
    def pay(self, order_id: str, new: NewPayment) -> Payment:
        """Record the payment of an order, captured at once and posted, or begin one by a provider.

        Raises Forbidden, NotFound, InvalidState, PaymentInProgress, PaymentDeclined, Contention.
        """
        if new.provider != MANUAL:
            return ProviderPayments(self.session).begin(order_id, new)
        self.session.caller.require(Permission.ORDERS_MANAGE)
        return self._record(order_id, new)

    @retry_on_conflict
    def _record(self, order_id: str, new: NewPayment) -> Payment:
        stored = self.orders.read(order_id)
        paid = stored.order.moved(OrderStatus.PAID, self.session.caller.subject, self.session.at)
        payment = StoredPayment(
            id=new_id("payment"),
            order_id=paid.id,
            customer_id=paid.customer_id,
            provider=MANUAL,
            stage=Stage.CAPTURED,
            amount=paid.total,
            created_at=paid.updated_at,
            updated_at=paid.updated_at,
            reference=new.reference,
            transaction_id=new_id("txn") if paid.total.minor else None,
        )
        tx = self.orders.changing(replace(stored, paid_by=payment.link), paid)
        posted = post_payment(tx, self.session, paid, payment.link)
        tx.create("add the payment", payment.to_row(self.session.tenant), raises=id_exists)
        events = (order_event(paid, "Paid", payment_id=payment.id), payment_event(payment), *posted)
        self.session.within(COMMIT_SECONDS).commit(tx, payment.shown(), *events)
        return payment.shown()
