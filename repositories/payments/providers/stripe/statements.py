"""The balance of an account at Stripe: balance transactions, disputes and payouts (Stripe API reference)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from domain.common.money import Money
from domain.payments.movements import Movement, MovementKind
from domain.payments.settlement import Dispute, DisputeStatus, Payout, PayoutStatus
from repositories.payments.providers.provider import Access
from repositories.payments.providers.statements import DisputeFound, MovementPage
from repositories.payments.providers.stripe.amounts import our_minor
from repositories.payments.providers.stripe.asking import ask

_MOST = 100
_KINDS = {
    "charge": MovementKind.CHARGE,
    "payment": MovementKind.CHARGE,
    "refund": MovementKind.REFUND,
    "payment_refund": MovementKind.REFUND,
    "refund_failure": MovementKind.REFUND,
    "payment_failure_refund": MovementKind.REFUND,
    "payout": MovementKind.PAYOUT,
    "payout_failure": MovementKind.PAYOUT,
    "payout_cancel": MovementKind.PAYOUT,
    "stripe_fee": MovementKind.FEE,
}
"""Kinds by type (Stripe documentation, "Balance transaction types")."""
_OF_DISPUTES = frozenset({"dispute", "dispute_reversal"})
"""Reporting categories of adjustments that belong to disputes (same page)."""
_DISPUTES = {
    "warning_needs_response": DisputeStatus.NEEDS_RESPONSE,
    "needs_response": DisputeStatus.NEEDS_RESPONSE,
    "warning_under_review": DisputeStatus.UNDER_REVIEW,
    "under_review": DisputeStatus.UNDER_REVIEW,
    "lost": DisputeStatus.LOST,
}
"""Statuses of disputes (Stripe API, "The Dispute object"); all others mean that the shop keeps the money."""
_PAYOUTS = {"paid": PayoutStatus.PAID, "failed": PayoutStatus.FAILED, "canceled": PayoutStatus.FAILED}


@dataclass(frozen=True, slots=True)
class StripeStatements:
    """The balance of an account at Stripe."""

    access: Access

    def movements(self, since: datetime, at: datetime, page: str | None) -> MovementPage:
        """Return a page of balance transactions, newest first. Raises Refused, OutcomeUnknown."""
        fields = {
            "limit": _MOST,
            "created[gte]": _seconds(since),
            "created[lt]": _seconds(at),
            "expand[]": "data.source",
        }
        found = self._page("balance_transactions", fields | ({"starting_after": page} if page else {}))
        following = found["data"][-1]["id"] if found["has_more"] else None
        return MovementPage([_movement(each) for each in found["data"]], following, at)

    def balance(self) -> Mapping[str, int]:
        """Return what is available or pending, by currency. Raises Refused, OutcomeUnknown."""
        found = ask(self.access, "GET", "/v1/balance")
        sums: dict[str, int] = {}
        for each in [*found["available"], *found["pending"]]:
            code = each["currency"].upper()
            sums[code] = sums.get(code, 0) + our_minor(each["amount"], code)
        return sums

    def disputes(self, since: datetime) -> Sequence[DisputeFound]:
        """Return the disputes since a time. Raises Refused, OutcomeUnknown."""
        fields = {"created[gte]": _seconds(since), "expand[]": "data.charge"}
        return [_dispute(each) for each in self._all("disputes", fields)]

    def payouts(self, since: datetime, at: datetime) -> Sequence[Payout]:
        """Return the payouts between two times. Raises Refused, OutcomeUnknown."""
        fields = {"created[gte]": _seconds(since), "created[lt]": _seconds(at)}
        return [_payout(each) for each in self._all("payouts", fields)]

    def _all(self, what: str, fields: Mapping[str, Any]) -> Iterator[Any]:
        after: dict[str, Any] = {}
        while True:
            found = self._page(what, {"limit": _MOST, **fields, **after})
            yield from found["data"]
            if not found["has_more"]:
                return
            after = {"starting_after": found["data"][-1]["id"]}

    def _page(self, what: str, fields: Mapping[str, Any]) -> Any:
        return ask(self.access, "GET", f"/v1/{what}?{urlencode(fields)}")


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _movement(found: Mapping[str, Any]) -> Movement:
    currency = found["currency"].upper()
    source = found["source"] if isinstance(found["source"], dict) else {"id": found["source"]}
    noted = source.get("metadata") or {}
    is_dispute = found["reporting_category"] in _OF_DISPUTES
    kind = MovementKind.DISPUTE if is_dispute else _KINDS.get(found["type"], MovementKind.OTHER)
    return Movement(
        id=found["id"],
        kind=kind,
        amount=our_minor(found["amount"], currency),
        fee=our_minor(found["fee"], currency),
        currency=currency,
        at=_time(found["created"]),
        about=str(source["id"] or ""),
        payment_id=noted.get("payment"),
        refund_id=noted.get("refund"),
    )


def _dispute(found: Mapping[str, Any]) -> DisputeFound:
    currency, due = found["currency"].upper(), (found.get("evidence_details") or {}).get("due_by")
    charge = found["charge"] if isinstance(found["charge"], dict) else {}
    status = _DISPUTES.get(found["status"], DisputeStatus.WON)
    dispute = Dispute(
        id=found["id"],
        provider="stripe",
        status=status,
        reason=found["reason"],
        amount=Money.of_minor(our_minor(found["amount"], currency), currency),
        payment_id=(charge.get("metadata") or {}).get("payment"),
        respond_by=_time(due) if due and status is DisputeStatus.NEEDS_RESPONSE else None,
        created_at=_time(found["created"]),
    )
    moved = found["balance_transactions"]
    if not moved:
        return DisputeFound(dispute)
    code = moved[0]["currency"].upper()
    withheld = -sum(our_minor(each["amount"], code) for each in moved)
    return DisputeFound(dispute, Money.of_minor(withheld, code) if withheld > 0 else None)


def _payout(found: Mapping[str, Any]) -> Payout:
    currency = found["currency"].upper()
    return Payout(
        id=found["id"],
        provider="stripe",
        status=_PAYOUTS.get(found["status"], PayoutStatus.PENDING),
        amount=Money.of_minor(our_minor(found["amount"], currency), currency),
        arrives_at=_time(found["arrival_date"]) if found["arrival_date"] else None,
        created_at=_time(found["created"]),
    )
