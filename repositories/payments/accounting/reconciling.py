"""Reconciliation: the balance at a provider, movement by movement, against the account for it in the books.

A walk posts what is new, notes disputes and payouts, and compares the balances. It goes on where the last one ended;
one that ends early goes on at its page, and a movement is posted once however often it is seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.common.environment import monotonic
from domain.common.events import DomainEvent
from domain.common.ids import new_id
from domain.common.model import json_of
from domain.payments.movements import Movement, MovementKind
from domain.payments.settlement import DisputeStatus, Payout
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, WriteTransaction
from repositories.ledger.posting import COMMIT_SECONDS
from repositories.payments.accounting.posting import MovementPoster
from repositories.payments.accounting.rows import Cursor, dispute_row, payout_row
from repositories.payments.accounting.watching import forget
from repositories.payments.events import dispute_event, payout_event
from repositories.payments.postings import Posting, booked, post_sums
from repositories.payments.providers.asking import NoCredentials, ask_for_statements
from repositories.payments.providers.provider import Refused
from repositories.payments.providers.statements import DisputeFound, Statements

_EVERY = timedelta(hours=1)
_AFTER_REFUSAL = timedelta(days=1)
_OVERLAP = timedelta(hours=1)
"""Time before the last walk that is walked again: a provider may show a movement late."""
_PAYOUTS_CHANGE, _DISPUTES_CHANGE = timedelta(days=30), timedelta(days=150)
"""Ages up to which payouts may fail, and disputes be decided."""
_TOLERATED = timedelta(hours=6)
"""Time for which a difference may last: what is being captured or refunded is in one balance first."""
_ENOUGH_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Reconciles the books of the session's tenant with the balance at a provider."""

    session: Session
    provider: str

    def run(self) -> str:
        """Walk what is new, and return how the balances differ if they have for hours, else an empty text.

        Raises OutcomeUnknown, Contention, Unavailable.
        """
        row = self.session.table.get(keys.provider_cursor(self.session.tenant, self.provider))
        if row is None:
            return ""
        cursor = Cursor.from_row(row)
        try:
            after = self._walked(cursor)
        except NoCredentials:
            forget(self.session, self.provider, cursor)
            return ""
        except Refused:  # the credentials may not read balances
            after = cursor.changed(due=self.session.at + _AFTER_REFUSAL)
        self._keep(cursor, after)
        is_old = after.differs_since and self.session.at - after.differs_since > _TOLERATED
        return f"the balance at {self.provider} differs: {dict(after.differences)}" if is_old else ""

    def _walked(self, cursor: Cursor) -> Cursor:
        self._post_opening(cursor)
        walk, since = cursor.walk or self.session.at, max(cursor.since - _OVERLAP, cursor.start)
        page, waits, until = cursor.page, cursor.waits, walk
        poster = MovementPoster(self.session, self.provider)
        while True:
            found = self._ask(lambda balance, page=page: balance.movements(since, walk, page))  # type: ignore[misc]
            waiting = poster.post(found.movements)
            waits = min([each.at for each in waiting] + ([waits] if waits else []), default=None)
            page, until = found.next, min(until, found.until)
            if page is None:
                break
            if monotonic() + _ENOUGH_SECONDS >= self.session.deadline:
                return cursor.changed(walk=walk, page=page, waits=waits, due=self.session.at)
        self._note_payouts()
        self._note_disputes(cursor.start)
        checked = self._compared(cursor)
        done = max(cursor.since, min(waits or until, until))
        return checked.changed(since=done, walk=None, page=None, waits=None, due=self.session.at + _EVERY)

    def _ask[T](self, question: Callable[[Statements], T]) -> T:
        return ask_for_statements(self.session, self.provider, question)

    def _keep(self, before: Cursor, after: Cursor) -> None:
        """Store the cursor, unless another walk has."""
        row = after.to_row(self.session.tenant, self.provider)
        self.session.table.put(row, "version = :seen", {":seen": before.version})

    def _post_opening(self, cursor: Cursor) -> None:
        """Post what the account had when it was connected, once."""
        opened = [
            Movement(f"opening-{cursor.account}-{code}", MovementKind.OPENING, minor, 0, code, cursor.since)
            for code, minor in cursor.opening
            if minor
        ]
        MovementPoster(self.session, self.provider).post(opened)

    def _note_payouts(self) -> None:
        since = self.session.at - _PAYOUTS_CHANGE
        for payout in self._ask(lambda balance: balance.payouts(since, self.session.at)):
            self.session.retry_on_conflict(lambda payout=payout: self._note_payout(payout))  # type: ignore[misc]

    def _note_payout(self, payout: Payout) -> None:
        tenant = self.session.tenant
        stored = self.session.table.get(keys.payout(tenant, self.provider, payout.id))
        if stored and stored["shown"] == json_of(payout):
            return
        version, at = stored["version"] + 1 if stored else 1, self._after(stored)
        tx = self.session.transaction()
        _add_note(tx, "payout", stored, payout_row(tenant, payout, version, at))
        self.session.commit_events(tx, payout_event(payout, version, at))

    def _after(self, stored: Row | None) -> datetime:
        """Return the time of a change, which is not before the last one, whatever the clock says."""
        return max(self.session.at, datetime.fromisoformat(stored["noted_at"])) if stored else self.session.at

    def _note_disputes(self, start: datetime) -> None:
        since = self.session.at - _DISPUTES_CHANGE
        for found in self._ask(lambda balance: balance.disputes(since)):
            self.session.retry_on_conflict(lambda found=found: self._note_dispute(found, start))  # type: ignore[misc]

    def _note_dispute(self, found: DisputeFound, start: datetime) -> None:
        """Note how a dispute is now, and post what was withheld for it as lost once it is. Raises Stale.

        One from before the account was connected is in what it opened with.
        """
        tenant, dispute = self.session.tenant, found.dispute
        stored = self.session.table.get(keys.dispute(tenant, self.provider, dispute.id))
        if stored and stored["shown"] == json_of(dispute):
            return
        version, at = stored["version"] + 1 if stored else 1, self._after(stored)
        tx = self.session.transaction()
        loss = stored["loss"] if stored else None
        events: Sequence[DomainEvent] = ()
        is_lost = dispute.status is DisputeStatus.LOST and dispute.created_at >= start
        if loss is None and found.withheld and is_lost:
            loss = new_id("txn")
            posting = Posting(f"{self.provider.title()}: lost {dispute.id}", loss, dispute.id)
            withheld = found.withheld
            sums = {
                ("chargebacks", withheld.currency): withheld.minor,
                ("disputed", withheld.currency): -withheld.minor,
            }
            events = post_sums(tx, self.session, sums, posting)
        _add_note(tx, "dispute", stored, dispute_row(tenant, dispute, version, loss, at))
        event = dispute_event(dispute, version, at)
        self.session.within(COMMIT_SECONDS).commit_events(tx, event, *events)

    def _compared(self, cursor: Cursor) -> Cursor:
        """Return the cursor with what the balance has more than the books."""
        there = self._ask(lambda balance: balance.balance())
        here = {code: booked(self.session, self.provider, code) for code in there}
        differences = {code: minor - here[code] for code, minor in there.items() if minor != here[code]}
        since = (cursor.differs_since or self.session.at) if differences else None
        return cursor.changed(
            checked_at=self.session.at, differences=tuple(sorted(differences.items())), differs_since=since
        )


def _add_note(tx: WriteTransaction, what: str, stored: Row | None, row: Row) -> None:
    """Add the step that writes a row, new or in the place of the one that is stored. It raises Stale on a conflict."""
    if stored:
        tx.put(f"change the {what}", row, condition="version = :seen", raises=Stale(), seen=stored["version"])
    else:
        tx.create(f"note the {what}", row, raises=Stale())
