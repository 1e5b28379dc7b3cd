"""Payments by providers, one step after another: ask the provider, and note in one transaction what follows.

Requests, webhooks and the sweep all call `advance`. It can be called at any time, twice or at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from domain.common.events import DomainEvent
from domain.common.ids import new_id
from domain.orders.order import Order
from domain.orders.status import OrderStatus, PaymentStatus
from domain.payments.protocol import REQUESTS, STEPS, Held, Payable, Request, Stage, Step, next_step
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.ledger.posting import COMMIT_SECONDS
from repositories.orders.repository import OrderRepository, order_event
from repositories.orders.rows import StoredOrder
from repositories.payments.events import payment_event
from repositories.payments.postings import post_given_back, post_late, post_payment
from repositories.payments.providers.asking import ask
from repositories.payments.providers.provider import Answer, CredentialsRefused, Provider, Refused
from repositories.payments.reading import read_payment
from repositories.payments.rows import StoredPayment

_REOPENED_FOR = timedelta(minutes=5)
"""Time for which an order whose payment was refused can be paid otherwise, at least."""
_KEY_KNOWN = timedelta(hours=20)
"""Age of a payment up to which its provider knows what it was asked to begin: Stripe keeps keys for a day at least."""
_ROUNDS = 6
"""Steps at a time: more than a payment has from its beginning to its end."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """A payment as far as it came: as it is stored, and why the provider declined the last attempt, if it did."""

    payment: StoredPayment
    failure: str | None = None
    refused: Refused | None = None
    """Set if the provider refused to begin the payment."""


def advance(session: Session, payment: StoredPayment) -> Advanced:
    """Take all steps of a payment that can be taken now.

    Raises OutcomeUnknown if the provider does not say what it did, Refused, NoCredentials,
    Contention, Unavailable.
    """
    return _Advancing(session).run(payment)


def changing_payment(session: Session, before: StoredPayment, after: StoredPayment) -> WriteTransaction:
    """Return the transaction that changes a payment. It raises Stale on a conflict."""
    tx = session.transaction()
    tx.put(
        "change the payment",
        after.to_row(session.tenant),
        condition="version = :seen",
        raises=Stale(),
        seen=before.version,
    )
    return tx


def payable(order: Order, payment: StoredPayment, locked_by: str | None, at: datetime) -> Payable:
    """Return whether an order can be paid by a payment."""
    if order.status is not OrderStatus.PENDING or order.is_due(at):
        return Payable.OVER
    is_locked = order.payment_status is PaymentStatus.AUTHORIZING and locked_by != payment.id
    return Payable.LOCKED if is_locked else Payable.FREE


@dataclass(frozen=True, slots=True)
class _Advancing:
    session: Session

    @property
    def orders(self) -> OrderRepository:
        return OrderRepository(self.session)

    def run(self, payment: StoredPayment) -> Advanced:
        for _ in range(_ROUNDS):
            if not payment.is_open:
                return Advanced(payment)
            try:
                answer = ask(self.session, payment.provider, partial(self._ask, payment))
            except Refused as refused:
                if payment.stage is not Stage.STARTED or isinstance(refused, CredentialsRefused):
                    raise  # it may have been begun before the credentials were replaced
                return Advanced(self._fail(payment, refused), refused.reason, refused)
            after = self.session.retry_on_conflict(partial(self._note, payment, answer))
            if after.stage is Stage.VOIDED and answer.held is Held.AUTHORIZATION:
                ask(self.session, payment.provider, lambda provider: provider.void(after))  # noqa: B023 - called at once
            waits = after.stage is Stage.CREATED and answer.held is Held.NOTHING
            if waits or after.version == payment.version:
                return Advanced(after, answer.failure)
            payment = after
        return Advanced(payment)

    def _ask(self, payment: StoredPayment, provider: Provider) -> Answer:
        """Return what the provider holds of a payment after it was asked for what its stage wants."""
        match REQUESTS[payment.stage]:
            case Request.CREATE:
                return self._begun(provider, payment)
            case Request.LOOK:
                return provider.look(payment)
            case Request.CAPTURE:
                return provider.capture(payment)
            case Request.VOID:
                return provider.void(payment)
            case Request.REFUND:
                return provider.give_back(payment)

    def _begun(self, provider: Provider, payment: StoredPayment) -> Answer:
        if self.session.at - payment.created_at < _KEY_KNOWN:
            return provider.create(payment)
        found = provider.find(payment)
        if found is None:
            raise Refused("The provider does not know it.")
        return found

    def _fail(self, payment: StoredPayment, refused: Refused) -> StoredPayment:
        """Note that a provider refused to begin a payment. One that another worker has changed is returned."""

        def attempt() -> StoredPayment:
            current = read_payment(self.session, payment.id)
            if current is None or current.version != payment.version:
                return current or payment
            after = payment.moved(Stage.FAILED, self.session.at, failure=refused.reason)
            self._commit(self._changing(payment, after), after)
            return after

        return self.session.retry_on_conflict(attempt)

    def _note(self, seen: StoredPayment, answer: Answer) -> StoredPayment:
        """Take the step that follows from an answer, if the payment is still as it was seen. Raises Stale."""
        payment = read_payment(self.session, seen.id)
        if payment is None or payment.version != seen.version:
            return payment or seen
        stored = self.orders.read(payment.order_id)
        locked_by = stored.paid_by.payment_id if stored.paid_by else None
        step = next_step(payment.stage, answer.held, payable(stored.order, payment, locked_by, self.session.at))
        if step is Step.WAIT:
            return payment
        # The order changes at the time of the payment: the events of both are in one row, which has one time.
        at = max(self.session.at, stored.order.updated_at)
        return self._take(step, stored, payment, payment.moved(STEPS[step], at, **_noted(step, answer)))

    def _take(self, step: Step, stored: StoredOrder, before: StoredPayment, after: StoredPayment) -> StoredPayment:
        match step:
            case Step.LOCK:
                return self._lock(stored, before, after)
            case Step.FINISH:
                return self._finish(stored, before, after)
            case Step.REOPEN | Step.UNLOCK:
                return self._reopen(stored, before, after)
            case Step.BOOK_LATE:
                return self._book_late(before, after)
            case Step.GIVE_BACK:
                return self._give_back(before, after)
        self._commit(self._changing(before, after), after)
        return after

    def _lock(self, stored: StoredOrder, before: StoredPayment, after: StoredPayment) -> StoredPayment:
        after = replace(after, hold_until=stored.order.hold_expires_at)
        order = stored.order.locked(self._by, after.updated_at)
        tx = self._changing(before, after)
        self.orders.change(tx, replace(stored, paid_by=after.link), order)
        self._commit(tx, after, order_event(order, "Paying", payment_id=after.id))
        return after

    def _finish(self, stored: StoredOrder, before: StoredPayment, after: StoredPayment) -> StoredPayment:
        after = replace(after, transaction_id=new_id("txn"))
        order = stored.order.paid(self._by, after.updated_at)
        tx = self._changing(before, after)
        self.orders.change(tx, replace(stored, paid_by=after.link), order)
        posted = post_payment(tx, self.session, order, after.link)
        self._commit(tx, after, order_event(order, "Paid", payment_id=after.id), *posted)
        return after

    def _reopen(self, stored: StoredOrder, before: StoredPayment, after: StoredPayment) -> StoredPayment:
        until = max(before.hold_until or self.session.at, self.session.at + _REOPENED_FOR)
        order = stored.order.reopened(self._by, after.updated_at, until)
        tx = self._changing(before, after)
        self.orders.change(tx, replace(stored, paid_by=None), order)
        self._commit(tx, after, order_event(order, "Reopened", payment_id=after.id))
        return after

    def _book_late(self, before: StoredPayment, after: StoredPayment) -> StoredPayment:
        after = replace(after, transaction_id=new_id("txn"))
        tx = self._changing(before, after)
        self._commit(tx, after, *post_late(tx, self.session, after))
        return after

    def _give_back(self, before: StoredPayment, after: StoredPayment) -> StoredPayment:
        tx = self._changing(before, after)
        self._commit(tx, after, *post_given_back(tx, self.session, before))
        return after

    @property
    def _by(self) -> str:
        return self.session.caller.subject

    def _changing(self, before: StoredPayment, after: StoredPayment) -> WriteTransaction:
        return changing_payment(self.session, before, after)

    def _commit(self, tx: WriteTransaction, after: StoredPayment, *events: DomainEvent) -> None:
        self.session.within(COMMIT_SECONDS).commit_events(tx, payment_event(after), *events)


def _noted(step: Step, answer: Answer) -> dict[str, str | None]:
    """Return what a payment notes of an answer."""
    if step is Step.NOTE:
        return {name: getattr(answer, name) for name in ("external_id", "client_secret", "approve_url")}
    return {"failure": answer.failure} if step in {Step.REOPEN, Step.UNLOCK, Step.CLOSE} else {}
