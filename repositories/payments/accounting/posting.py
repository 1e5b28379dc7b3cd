"""Posting of movements of a provider's balance, each once, as far as no command has posted it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from domain.common.ids import is_id, new_id
from domain.common.money import Money
from domain.payments.movements import Movement, MovementKind, Sums, debits_of
from domain.payments.protocol import SETTLED, Stage
from repositories.dynamodb import keys
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale
from repositories.ledger.posting import COMMIT_SECONDS
from repositories.orders.repository import OrderRepository
from repositories.payments.accounting.rows import movement_row
from repositories.payments.postings import Posting, collecting_account, post_sums
from repositories.payments.rows import StoredPayment

_MOST = 40
"""Movements of one transaction."""
_POSTED = frozenset({Stage.CAPTURED, Stage.RETURNING, Stage.RETURNED})
"""Stages of payments whose money a command has posted."""
_ALONE = frozenset({MovementKind.DISPUTE, MovementKind.CHARGEBACK, MovementKind.PAYOUT})
"""Kinds that have a transaction of their own."""


class NotYet(Exception):
    """A command is about to post a movement, or to say that it will not."""


@dataclass(frozen=True, slots=True)
class MovementPoster:
    """Posts the movements of a provider of the session's tenant."""

    session: Session
    provider: str

    def post(self, movements: Sequence[Movement]) -> list[Movement]:
        """Post movements, and return those that cannot be posted yet. Raises Contention, Unavailable."""
        new = self._without_known(movements)
        payments, waiting = self._payments(new), []
        ready: list[tuple[Movement, Money | None]] = []
        for each in new:
            try:
                ready.append((each, self._posted(each, payments)))
            except NotYet:
                waiting.append(each)
        for group in _grouped(ready):
            self.session.retry_on_conflict(lambda group=group: self._post(group))  # type: ignore[misc]
        return waiting

    def _post(self, group: Sequence[tuple[Movement, Money | None]]) -> None:
        """Post movements in one transaction. Raises Stale."""
        known = {each.id for each in self._without_known([movement for movement, _ in group])}
        group = [(movement, posted) for movement, posted in group if movement.id in known]
        if not group:
            return
        clearing = collecting_account(self.provider)
        sums: Sums = Counter()
        for movement, posted in group:
            sums.update(debits_of(movement, clearing, posted))
        transaction_id = new_id("txn") if any(sums.values()) else None
        tx = self.session.transaction()
        first = group[0][0]
        what = f"{first.kind.value} {first.about}" if first.kind in _ALONE else f"{len(group)} movements"
        posting = Posting(f"{self.provider.title()}: {what}", transaction_id, first.about if len(group) == 1 else None)
        posted_events = post_sums(tx, self.session, sums, posting) if transaction_id else []
        for movement, _ in group:
            row = movement_row(self.session.tenant, self.provider, movement, transaction_id)
            tx.create("note the movement", row, raises=Stale())
        self.session.within(COMMIT_SECONDS).commit_events(tx, *posted_events)

    def _without_known(self, movements: Sequence[Movement]) -> list[Movement]:
        """Return the movements that are not in the books."""
        wanted = {keys.movement(self.session.tenant, self.provider, each.id): each for each in movements}
        known = self.session.table.batch_get(wanted)
        return [each for key, each in wanted.items() if key not in known]

    def _payments(self, movements: Sequence[Movement]) -> Mapping[str, StoredPayment]:
        """Return the payments that movements name, by id."""
        ids = {each.payment_id for each in movements if each.payment_id and is_id("payment", each.payment_id)}
        rows = self.session.table.batch_get(self._key(payment_id) for payment_id in sorted(ids))
        return {row["id"]: StoredPayment.from_row(row) for row in rows.values()}

    def _key(self, payment_id: str) -> Key:
        return keys.payment(self.session.tenant, payment_id)

    def _posted(self, movement: Movement, payments: Mapping[str, StoredPayment]) -> Money | None:
        """Return what a command has posted of a movement. Raises NotYet while that is not decided."""
        if not movement.is_final:
            raise NotYet
        payment = payments.get(movement.payment_id or "")
        if payment is None:
            return None
        match movement.kind:
            case MovementKind.CHARGE:
                return self._charged(payment)
            case MovementKind.REFUND if movement.amount < 0:
                return self._refunded(payment, movement.refund_id or "")
        return None

    def _charged(self, payment: StoredPayment) -> Money | None:
        if payment.stage not in SETTLED | _POSTED:
            raise NotYet
        return payment.amount if payment.stage in _POSTED else None

    def _refunded(self, payment: StoredPayment, refund_id: str) -> Money | None:
        """Return what was posted of a refund that the provider was asked for; one it has failed at is not posted."""
        if payment.stage is not Stage.CAPTURED:
            if payment.is_open:
                raise NotYet
            return payment.amount if payment.stage is Stage.RETURNED else None
        stored = self.session.retry_on_conflict(lambda: OrderRepository(self.session).read(payment.order_id))
        made = next((each for each in stored.order.refunds if each.id == refund_id), None)
        if made:
            return made.amount
        if stored.paid_by and stored.paid_by.refund and stored.paid_by.refund["id"] == refund_id:
            raise NotYet
        return None


def _grouped[T](ready: Sequence[tuple[Movement, T]]) -> list[Sequence[tuple[Movement, T]]]:
    """Return movements by transaction: those that matter alone, and the others together."""
    alone = [[each] for each in ready if each[0].kind in _ALONE]
    others = [each for each in ready if each[0].kind not in _ALONE]
    return [*alone, *batched(others, _MOST, strict=False)]
