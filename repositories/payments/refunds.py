"""Refunds of orders. One of a payment by a provider is begun in a transaction, asked for, and then made in another.

While it is open, the order names it, so that there is no other refund, and what it comes to stays as it was.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from domain.common.errors import IdempotencyKeyReused, InvalidState, PaymentInProgress
from domain.common.events import DomainEvent
from domain.common.ids import derived_id, new_id, time_of
from domain.common.model import Model, json_of, to_rfc3339
from domain.orders.order import Order
from domain.orders.parts import NewRefund, Refund
from domain.orders.refunding import Issue, Refunding, refund, refund_rest
from domain.orders.status import OrderStatus
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale
from repositories.ledger.posting import COMMIT_SECONDS
from repositories.orders.repository import OrderRepository, order_event
from repositories.orders.rows import PaidBy, StoredOrder
from repositories.payments.postings import post_refund
from repositories.payments.providers.asking import NoCredentials, ask, require_chargeable
from repositories.payments.providers.provider import CredentialsRefused, OutcomeUnknown, Refused
from repositories.payments.reading import read_payment
from repositories.payments.rows import MANUAL, StoredPayment

_TIME_BYTES, _SCOPE_BYTES = 6, 6
"""Bytes of a refund's id that are its order's time, and those that come from the command's key."""


class Made(NamedTuple):
    """A refund and its order. While the refund is pending, the order is as before."""

    order: Order
    refund: Refund


class Open(NamedTuple):
    """A refund that is pending, its order, and the payment of which its provider is asked to refund a part."""

    made: Made
    payment_id: str


@dataclass(frozen=True, slots=True)
class Refunds:
    """Refunds in the caller's tenant. `answer` chooses what a command answers: the order or the refund."""

    session: Session
    answer: Callable[[Order, Refund], Model]

    @property
    def orders(self) -> OrderRepository:
        """The repository of the orders to refund."""
        return OrderRepository(self.session)

    def make(self, order_id: str, new: NewRefund | None, reason: str | None) -> Made:
        """Refund a part of an order, or all that is left.

        Raises NotFound, InvalidState, PaymentInProgress, RefundTooLarge, ValidationFailed, Contention.
        """
        begun = self.session.retry_on_conflict(lambda: self._begin(order_id, new, reason))
        return begun if isinstance(begun, Made) else self._asked(begun)

    def go_on(self, order_id: str) -> bool:
        """Go on with a refund that is open; return whether there was one. Raises OutcomeUnknown, Contention."""
        stored = self.session.retry_on_conflict(lambda: self.orders.read(order_id))
        if stored.paid_by is None or not stored.paid_by.refund:
            return False
        self._ask(_open(stored, stored.paid_by.payment_id, stored.paid_by.refund))
        return True

    def _begin(self, order_id: str, new: NewRefund | None, reason: str | None) -> Made | Open:
        """Make a refund that needs no provider, or note that it is begun. Raises Stale."""
        stored = self.orders.read(order_id)
        if stored.paid_by and stored.paid_by.provider != MANUAL:
            return self._begin_at_provider(stored, stored.paid_by, new, reason)
        return self._made(stored, _plan(stored, new, self._issue(new_id("refund"), reason)))

    def _begin_at_provider(
        self, stored: StoredOrder, paid_by: PaidBy, new: NewRefund | None, reason: str | None
    ) -> Made | Open:
        self.session.record.replay()
        refund_id = self._refund_id(stored.order.id)
        known = _known(stored.order, refund_id)
        if known:  # made by an attempt that died before its answer
            self.session.record.keep(self.answer(*known))
            return known
        if paid_by.refund:
            if paid_by.refund["id"] != refund_id:
                _require_another_command(paid_by.refund["id"], refund_id)
                raise PaymentInProgress("Another refund of the order is being made. Try again in a moment.")
            return _open(stored, paid_by.payment_id, paid_by.refund)
        issue = self._issue(refund_id, reason)
        made = _plan(stored, new, issue)
        if not made.refund.amount.minor:
            return self._made(stored, made)
        require_chargeable(self.session, paid_by.provider, made.refund.amount)
        pending = _pending(new, issue, made.refund)
        order = stored.order.changed(issue.by, issue.at)
        tx = self.orders.changing(replace(stored, paid_by=replace(paid_by, refund=pending)), order)
        self.session.commit_events(tx, _event(order, "Refunding", made.refund))
        return Open(_pending_of(order, made.refund), paid_by.payment_id)

    def _asked(self, begun: Open) -> Made:
        """Return a refund after the provider was asked for it, still pending if it does not answer."""
        try:
            return self._ask(begun)
        except OutcomeUnknown:
            self.session.outcome_open = True
            return begun.made

    def _ask(self, begun: Open) -> Made:
        payment = self.session.retry_on_conflict(lambda: self._payment(begun.payment_id))
        try:
            self._at_provider(payment, begun.made.refund)
        except Refused as refused:
            self.session.retry_on_conflict(partial(self._failed, begun.made, refused.reason))
            raise InvalidState(f"{payment.provider} refused the refund: {refused.reason}") from None
        return self.session.retry_on_conflict(lambda: self._finish(begun.made))

    def _at_provider(self, payment: StoredPayment, made: Refund) -> None:
        """Ask for a refund. Credentials that are refused, or missing, say nothing of one that was asked for before."""
        try:
            ask(self.session, payment.provider, lambda provider: provider.refund(payment, made.id, made.amount))
        except (CredentialsRefused, NoCredentials) as refused:
            raise OutcomeUnknown(str(refused)) from None

    def _payment(self, payment_id: str) -> StoredPayment:
        found = read_payment(self.session, payment_id)
        if found is None:
            raise Stale
        return found

    def _finish(self, begun: Made) -> Made:
        """Make a refund that the provider has made, unless another attempt has. Raises Stale."""
        stored = self.orders.read(begun.order.id)
        known = _known(stored.order, begun.refund.id)
        if known:
            self.session.record.keep(self.answer(*known))
            return known
        if stored.paid_by is None or not stored.paid_by.refund or stored.paid_by.refund["id"] != begun.refund.id:
            raise Stale
        pending = stored.paid_by.refund
        made = _plan(stored, _new(pending), _issue_of(pending))
        return self._made(replace(stored, paid_by=replace(stored.paid_by, refund=None)), made)

    def _failed(self, begun: Made, reason: str) -> None:
        """Note that the provider refused a refund, unless another attempt has noted what came of it. Raises Stale."""
        stored = self.orders.read(begun.order.id)
        paid_by = stored.paid_by
        if paid_by is None or not paid_by.refund or paid_by.refund["id"] != begun.refund.id:
            return
        order = stored.order.changed(self.session.caller.subject, self.session.at)
        tx = self.orders.changing(replace(stored, paid_by=replace(paid_by, refund=None)), order)
        self.session.commit_events(tx, _event(order, "RefundFailed", begun.refund, reason=reason))

    def _made(self, stored: StoredOrder, made: Refunding) -> Made:
        """Commit a refund, with its posting and the answer to the command. Raises Stale."""
        tx = self.orders.changing(stored, made.order, made.changes)
        posted = post_refund(tx, self.session, made, self._paid_by(stored))
        is_partial = made.order.status is not OrderStatus.REFUNDED
        event = _event(made.order, "Refunded", made.refund, is_partial=is_partial, reason=made.refund.reason)
        answer = self.answer(made.order, made.refund)
        self.session.within(COMMIT_SECONDS).commit(tx, answer, event, *posted)
        return Made(made.order, made.refund)

    def _issue(self, refund_id: str, reason: str | None) -> Issue:
        return Issue(refund_id, new_id("txn"), self.session.caller.subject, self.session.at, reason)

    def _paid_by(self, stored: StoredOrder) -> PaidBy:
        """Return the payment of a paid order. Raises Stale if it is not visible yet."""
        if stored.paid_by:
            return stored.paid_by
        row = self.session.find(keys.first_payment(self.session.tenant, stored.order.id))
        if row is None:
            raise Stale
        return StoredPayment.from_first_row(row, stored.order).link

    def _refund_id(self, order_id: str) -> str:
        """Return the id of the refund: for a command, the same for each attempt.

        It ends with a digest of the body, so that it shows whether a key is used for another one.
        """
        made, command = time_of(order_id), self.session.command
        if made is None or command is None:
            return new_id("refund")
        scope = hashlib.sha256(f"{order_id}\n{command.scope}".encode()).digest()[:_SCOPE_BYTES]
        return derived_id("refund", made, scope + hashlib.sha256(command.fingerprint.encode()).digest())


def _open(stored: StoredOrder, payment_id: str, pending: Row) -> Open:
    """Return the refund that an order says is open."""
    made = _plan(stored, _new(pending), _issue_of(pending))
    return Open(_pending_of(stored.order, made.refund), payment_id)


def _pending_of(order: Order, refund: Refund) -> Made:
    return Made(order, refund.model_copy(update={"status": "pending"}))


def _known(order: Order, refund_id: str) -> Made | None:
    """Return a refund that was made, if it was. Raises IdempotencyKeyReused if it was with another body."""
    for each in order.refunds:
        if each.id != refund_id:
            _require_another_command(each.id, refund_id)
    return next((Made(order, each) for each in order.refunds if each.id == refund_id), None)


def _require_another_command(known: str, wanted: str) -> None:
    """Raise IdempotencyKeyReused if the ids of two refunds come from one key and different bodies."""
    from ulid import ULID

    first, second = (ULID.from_str(each.partition("_")[2]).bytes for each in (known, wanted))
    if first[: _TIME_BYTES + _SCOPE_BYTES] == second[: _TIME_BYTES + _SCOPE_BYTES]:
        raise IdempotencyKeyReused


def _event(order: Order, what: str, made: Refund, **data: Any) -> DomainEvent:
    return order_event(order, what, **data, refund_id=made.id, amount=json_of(made.amount))


def _plan(stored: StoredOrder, new: NewRefund | None, issue: Issue) -> Refunding:
    if new is None:
        return refund_rest(stored.order, stored.holds, issue)
    return refund(stored.order, stored.holds, new, issue)


def _pending(new: NewRefund | None, issue: Issue, made: Refund) -> Row:
    """Return what an order stores of a refund that is open: what was asked for, and the caller."""
    return {
        "id": issue.refund_id,
        "transaction_id": made.transaction_id or issue.transaction_id,
        "by": issue.by,
        "at": to_rfc3339(issue.at),
        "reason": issue.reason,
        "asked": json_of(new) if new else None,
    }


def _issue_of(pending: Row) -> Issue:
    at = datetime.fromisoformat(pending["at"])
    return Issue(pending["id"], pending["transaction_id"], pending["by"], at, pending["reason"])


def _new(pending: Row) -> NewRefund | None:
    return NewRefund.model_validate(pending["asked"]) if pending["asked"] else None
