"""Sweeps of what is open at payment providers, across tenants: payments, refunds, and events that came from them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from domain.identity.permissions import Caller
from repositories.dynamodb import keys
from repositories.dynamodb.iam_actions import PAYING, IamAction, uses
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.dynamodb.work_keys import DueRow
from repositories.dynamodb.work_list import REPORTED, Failure, Swept, Work, move, sweep
from repositories.payments.accounting.reconciling import Reconciler
from repositories.payments.advancing import advance
from repositories.payments.incoming.processing import process
from repositories.payments.reading import read_payment
from repositories.payments.refunds import Refunds

_FIRST = timedelta(hours=1)
"""Time to look back without a mark: there were no payments by providers before the sweep."""


@uses(*PAYING, IamAction.DUE)
def sweep_payments(table: Table, at: datetime, deadline: float) -> dict[Work, Swept]:
    """Go on with what is due by `at`, until `deadline` (monotonic clock, seconds). Raises Unavailable."""
    differing: dict[str, str] = {}
    kinds: dict[Work, Callable[[Session, DueRow], bool]] = {
        Work.INBOX: _event,
        Work.REFUND: _refund,
        Work.PAYMENT: _payment,
        Work.RECONCILE: partial(_balance, differing),
    }

    def swept(kind: Work) -> Swept:
        def do(due: DueRow) -> bool:
            return kinds[kind](Session(table, Caller.system(keys.tenant_of(due.key.pk)), at, deadline), due)

        return sweep(table, kind, do, at, deadline, _FIRST)

    done = {kind: swept(kind) for kind in kinds}
    done[Work.RECONCILE].failed |= {work: Failure(reason, REPORTED) for work, reason in differing.items()}
    return done


def _payment(session: Session, due: DueRow) -> bool:
    """Go on with a payment; one that is still open is due again later."""
    payment = session.retry_on_conflict(lambda: read_payment(session, due.id))
    if payment is None:
        return False
    after = advance(session, payment).payment
    if after.version != payment.version:
        return True
    if after.is_open:
        move(session.table, "ask again later", due, after.due(session.at), session.deadline)
    return False


def _refund(session: Session, due: DueRow) -> bool:
    return Refunds(session, lambda order, _: order).go_on(due.id)


def _event(session: Session, due: DueRow) -> bool:
    return process(session, due.key) != "done"


def _balance(differing: dict[str, str], session: Session, due: DueRow) -> bool:
    """Reconcile the books with a balance; note in `differing` if they have differed for long."""
    differs = Reconciler(session, due.id.rpartition(".")[2]).run()
    if differs:
        differing[due.id] = differs
    return True
