"""Payments that are collected by a provider: begun, asked for, and cancelled."""

import hashlib
from dataclasses import dataclass, replace

from domain.common.errors import (
    IdempotencyKeyReused,
    InvalidState,
    NotFound,
    PaymentDeclined,
    PaymentInProgress,
    ProviderUnavailable,
)
from domain.common.ids import derived_id, new_id, time_of
from domain.orders.order import Order
from domain.orders.status import OrderStatus, PaymentStatus
from domain.payments.payment import NewPayment, Payment
from domain.payments.protocol import Stage, cancelled
from repositories.dynamodb import keys
from repositories.dynamodb.codec import new_row
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale
from repositories.orders.repository import OrderRepository
from repositories.payments.advancing import Advanced, advance, changing_payment
from repositories.payments.events import payment_event
from repositories.payments.providers.asking import NoCredentials, require_chargeable
from repositories.payments.providers.provider import OutcomeUnknown, Refused
from repositories.payments.reading import PaymentReader, read_payment
from repositories.payments.rows import StoredPayment
from repositories.payments.settings import require_enabled


@dataclass(frozen=True, slots=True)
class ProviderPayments:
    """The payments of the caller's tenant that providers collect. Customers reach their own."""

    session: Session

    @property
    def orders(self) -> OrderRepository:
        """The repository of the orders to pay."""
        return OrderRepository(self.session)

    def begin(self, order_id: str, new: NewPayment) -> Payment:
        """Begin a payment, or go on with the one that was begun with the request's Idempotency-Key.

        Raises NotFound, InvalidState, PaymentInProgress, PaymentDeclined, IdempotencyKeyReused, Contention.
        """
        self.session.record.replay()
        payment = self.session.retry_on_conflict(lambda: self._begun(order_id, new))
        advanced = self._advanced(payment)
        if advanced.refused and not advanced.refused.is_declined:
            raise InvalidState(f"{new.provider} refused the payment: {advanced.refused.reason}")
        if advanced.payment.stage is Stage.FAILED:
            raise PaymentDeclined(advanced.payment.failure or "The payment was declined.")
        return self._answered(advanced)

    def _begun(self, order_id: str, new: NewPayment) -> StoredPayment:
        """Return the payment of a command, which is stored as started if it is new. Raises Stale."""
        self.orders.key(order_id)
        command = self.session.command
        payment_id = _derived(order_id, command.scope) if command else new_id("payment")
        digest = command.fingerprint if command else None
        if command and (known := read_payment(self.session, payment_id)):
            if known.digest != digest:
                raise IdempotencyKeyReused
            return known
        stored = self.orders.read(order_id)
        require_enabled(self.session, new.provider)
        _require_payable(stored.order, self.session)
        require_chargeable(self.session, new.provider, stored.order.total)
        payment = StoredPayment(
            id=payment_id,
            order_id=order_id,
            customer_id=stored.order.customer_id,
            provider=new.provider,
            stage=Stage.STARTED,
            amount=stored.order.total,
            created_at=self.session.at,
            updated_at=self.session.at,
            reference=new.reference,
            return_url=new.return_url,
            digest=digest,
        )
        self.add(payment)
        return payment

    def add(self, payment: StoredPayment) -> None:
        """Store a payment that is begun. Raises Stale if it is there."""
        tenant, tx = self.session.tenant, self.session.transaction()
        tx.create("begin the payment", payment.to_row(tenant), raises=Stale())
        place = keys.payment_of_order(tenant, payment.order_id, payment.id)
        tx.create("list the payment", new_row(place, "order_payment", payment_id=payment.id), raises=Stale())
        self.session.commit_events(tx, payment_event(payment))

    def refresh(self, payment_id: str) -> Payment:
        """Return a payment after its provider was asked.

        Raises NotFound, InvalidState, ProviderUnavailable, Contention.
        """
        self.session.record.replay()
        return self._answered(self._advanced(PaymentReader(self.session).read(payment_id)))

    def cancel(self, payment_id: str) -> Payment:
        """Void a payment that was not captured. Raises NotFound, InvalidState, PaymentInProgress, Contention."""
        self.session.record.replay()
        return self._answered(self._advanced(self.session.retry_on_conflict(lambda: self._cancelled(payment_id))))

    def _answered(self, advanced: Advanced) -> Payment:
        """Return the answer to a command, which is stored once the payment is settled."""
        shown = self._shown(advanced)
        if not advanced.payment.is_open:
            self.session.record.keep(shown)
        return shown

    def _cancelled(self, payment_id: str) -> StoredPayment:
        payment = PaymentReader(self.session).read(payment_id)
        if payment.stage is Stage.CAPTURED:
            raise InvalidState("The payment was captured: refund it.")
        stage = cancelled(payment.stage)
        if stage is payment.stage:
            return payment
        after = payment.moved(stage, self.session.at)
        self.session.commit_events(changing_payment(self.session, payment, after), payment_event(after))
        return after

    def _advanced(self, payment: StoredPayment) -> Advanced:
        """Return a payment as far as it came. What is not known stays open, for the sweep or another request."""
        try:
            return advance(self.session, payment)
        except OutcomeUnknown:
            current = PaymentReader(self.session).read(payment.id)
            if current.stage is Stage.CREATED:  # it was only asked what it holds
                raise ProviderUnavailable from None
            return Advanced(current)
        except (Refused, NoCredentials):
            raise ProviderUnavailable from None

    def _shown(self, advanced: Advanced) -> Payment:
        payment = advanced.payment
        shown = PaymentReader(self.session).shown(replace(payment, failure=payment.failure or advanced.failure))
        if shown.status == "processing":
            self.session.outcome_open = True
        return shown


def _require_payable(order: Order, session: Session) -> None:
    """Raise InvalidState or PaymentInProgress unless a payment of an order can be begun."""
    if order.payment_status is PaymentStatus.AUTHORIZING:
        raise PaymentInProgress("A payment of the order is being captured. Read the order again in a moment.")
    if order.status is not OrderStatus.PENDING:
        raise InvalidState(f"An order that is {order.status} cannot be paid.")
    if order.is_due(session.at):
        raise InvalidState("The time to pay is over, and the order is about to expire.")
    if order.total.minor == 0:
        raise InvalidState("There is nothing to pay: record a manual payment.")


def _derived(order_id: str, scope: str) -> str:
    """Return the id of the payment that a command begins, the same for each attempt."""
    made = time_of(order_id)
    if made is None:
        raise NotFound("order")
    return derived_id("payment", made, hashlib.sha256(f"{order_id}\n{scope}".encode()).digest())
