"""Processing of events of payment providers: the provider is asked about the payment that each is about."""

from datetime import timedelta

from domain.common.model import to_rfc3339
from domain.payments.protocol import Stage
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import PAYING, uses
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale
from repositories.payments.accounting.watching import nudge
from repositories.payments.advancing import advance
from repositories.payments.reading import read_payment
from repositories.payments.refunds import Refunds

_GIVEN_UP = timedelta(hours=24)
"""Age from which an event of a payment that is not there is given up."""


class PaymentMissing(Exception):
    """An event is about a payment that is not there, or not yet: it must not be lost."""


@uses(*PAYING)
def process(session: Session, key: Key) -> str:
    """Ask the provider about the payment of an event, and return what came of it.

    Raises PaymentMissing, OutcomeUnknown, Refused, NoCredentials, Contention, Unavailable: try again later.
    """
    row = session.table.get(key)
    if row is None or "gsi3pk" not in row:
        return "done"
    outcome = _of_payment(session, row) if row["payment_id"] else _of_balance(session, row)
    tx = session.transaction()
    tx.update(
        "note that it is done",
        key,
        "SET outcome = :outcome REMOVE gsi3pk, gsi3sk",
        condition="attribute_exists(pk)",
        raises=Stale(),
        outcome=outcome,
    )
    try:
        tx.commit(session.deadline)
    except Stale:
        return "forgotten"  # its time to live has ended
    return outcome


def _of_payment(session: Session, row: Row) -> str:
    payment = session.retry_on_conflict(lambda: read_payment(session, row["payment_id"]))
    if payment is None:
        if to_rfc3339(session.at - _GIVEN_UP) < row["received_at"]:
            raise PaymentMissing(row["payment_id"])
        return "given up"
    after = advance(session, payment).payment
    if after.stage is Stage.CAPTURED:  # it may be about a refund that was pending
        Refunds(session, lambda order, _: order).go_on(after.order_id)
    return after.stage.value


def _of_balance(session: Session, row: Row) -> str:
    nudge(session, row["provider"])
    return "balance"
