"""The balance of an account at PayPal (Transaction Search API, and Disputes API).

What a transaction's code means: PayPal developer documentation, "Transaction event codes". PayPal shows a transaction
up to three hours after it was made, and says up to when it shows all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from domain.common.iso.currencies import MINOR_UNITS
from domain.common.money import Money
from domain.payments.movements import Movement, MovementKind
from domain.payments.settlement import Dispute, DisputeStatus, Payout, PayoutStatus
from repositories.payments.providers.paypal.asking import ask
from repositories.payments.providers.provider import Access
from repositories.payments.providers.statements import DisputeFound, MovementPage

_MOST, _MOST_DISPUTES = 500, 50
_LONGEST = timedelta(days=31)
"""Longest time of which transactions can be asked for at once."""
_DENIED, _PENDING = "D", "P"
_HOLDS = frozenset({"T1110", "T1111", "T1112"})
"""Money that is held while a dispute is investigated, and released."""
_CHARGEBACKS = frozenset({"T1106", "T1108", "T1201", "T1202", "T1207", "T1208"})
_REFUND, _PAYOUT, _PAYMENT, _FEE = "T1107", "T04", "T00", "T01"
_OPEN = {"OPEN": DisputeStatus.UNDER_REVIEW, "WAITING_FOR_SELLER_RESPONSE": DisputeStatus.NEEDS_RESPONSE}
_LOST = frozenset({"RESOLVED_BUYER_FAVOUR", "ACCEPTED"})
"""Outcomes with which the customer keeps the money (Disputes API, `dispute_outcome`)."""
_RESOLVED = "RESOLVED"


@dataclass(frozen=True, slots=True)
class PayPalStatements:
    """The balance of an account at PayPal."""

    access: Access

    def movements(self, since: datetime, at: datetime, page: str | None) -> MovementPage:
        """Return a page of transactions. Raises Refused, OutcomeUnknown.

        A page is `<start>,<number>`: of a longer time, a month is asked for at a time.
        """
        start, number = page.split(",") if page else (_written(since), "1")
        end = min(datetime.fromisoformat(start) + _LONGEST, at)
        found = self._search(start, end, int(number))
        movements = [_movement(each["transaction_info"]) for each in found["transaction_details"]]
        until = datetime.fromisoformat(found["last_refreshed_datetime"])
        shown = [each for each in movements if each]
        if int(number) < found["total_pages"]:
            return MovementPage(shown, f"{start},{int(number) + 1}", min(until, at))
        return MovementPage(shown, f"{_written(end)},1" if end < at else None, min(until, at))

    def _search(self, start: str, end: datetime, number: int) -> Any:
        fields = {"start_date": start, "end_date": _written(end), "fields": "transaction_info"}
        query = urlencode(fields | {"page_size": _MOST, "page": number, "balance_affecting_records_only": "Y"})
        return ask(self.access, "GET", f"/v1/reporting/transactions?{query}")

    def balance(self) -> Mapping[str, int]:
        """Return the total balance by currency. Raises Refused, OutcomeUnknown."""
        found = ask(self.access, "GET", "/v1/reporting/balances?currency_code=ALL")
        return {each["currency"]: _minor(each["total_balance"]) for each in found["balances"]}

    def disputes(self, since: datetime) -> Sequence[DisputeFound]:
        """Return the disputes since a time. Raises Refused, OutcomeUnknown."""
        query = urlencode({"start_time": _written(since), "page_size": _MOST_DISPUTES})
        return [DisputeFound(each) for each in self._disputes(f"/v1/customer/disputes?{query}")]

    def _disputes(self, path: str) -> Iterator[Dispute]:
        """Yield disputes; lists leave out what they are about."""
        found = ask(self.access, "GET", path)
        for each in found["items"]:
            yield _dispute(ask(self.access, "GET", f"/v1/customer/disputes/{each['dispute_id']}"))
        following = next((link["href"] for link in found.get("links", []) if link["rel"] == "next"), None)
        if following:
            yield from self._disputes(f"/v1/customer/disputes?{following.partition('?')[2]}")

    def payouts(self, since: datetime, at: datetime) -> Sequence[Payout]:
        """Return the transfers to the bank between two times. Raises Refused, OutcomeUnknown."""
        found: list[Payout] = []
        page: str | None = None
        while True:
            shown = self.movements(since, at, page)
            found += [_payout(each) for each in shown.movements if each.kind is MovementKind.PAYOUT and each.amount < 0]
            page = shown.next
            if page is None:
                return found


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _minor(amount: Mapping[str, str]) -> int:
    return int(Decimal(amount["value"]).scaleb(MINOR_UNITS[amount["currency_code"]]))


def _movement(found: Mapping[str, Any]) -> Movement | None:
    """Return a transaction as a movement, or None if it was denied."""
    if found["transaction_status"] == _DENIED:
        return None
    fee = found.get("fee_amount")
    noted = str(found.get("custom_field", "")).split(",")
    return Movement(
        id=found["transaction_id"],
        kind=_kind(found["transaction_event_code"]),
        amount=_minor(found["transaction_amount"]),
        fee=-_minor(fee) if fee else 0,
        currency=found["transaction_amount"]["currency_code"],
        at=datetime.fromisoformat(found["transaction_initiation_date"]),
        about=found["transaction_id"],
        payment_id=noted[1] if len(noted) > 1 else None,
        refund_id=noted[2] if len(noted) > 2 else None,
        is_final=found["transaction_status"] != _PENDING,
    )


def _kind(code: str) -> MovementKind:
    exact = dict.fromkeys(_HOLDS, MovementKind.DISPUTE) | dict.fromkeys(_CHARGEBACKS, MovementKind.CHARGEBACK)
    groups = {_PAYMENT: MovementKind.CHARGE, _FEE: MovementKind.FEE, _PAYOUT: MovementKind.PAYOUT}
    return (exact | {_REFUND: MovementKind.REFUND}).get(code) or groups.get(code[:3], MovementKind.OTHER)


def _payout(movement: Movement) -> Payout:
    return Payout(
        id=movement.id,
        provider="paypal",
        status=PayoutStatus.PAID if movement.is_final else PayoutStatus.PENDING,
        amount=Money.of_minor(-movement.amount, movement.currency),
        arrives_at=None,
        created_at=movement.at,
    )


def _dispute(found: Mapping[str, Any]) -> Dispute:
    about: Mapping[str, Any] = next(iter(found.get("disputed_transactions", [])), {})
    noted = str(about.get("custom", "")).split(",")
    status, due = found["status"], found.get("seller_response_due_date")
    outcome = (found.get("dispute_outcome") or {}).get("outcome_code")
    ended = DisputeStatus.LOST if outcome in _LOST else DisputeStatus.WON
    amount = found["dispute_amount"]
    return Dispute(
        id=found["dispute_id"],
        provider="paypal",
        status=ended if status == _RESOLVED else _OPEN.get(status, DisputeStatus.UNDER_REVIEW),
        reason=found["reason"].lower(),
        amount=Money.of_minor(_minor(amount), amount["currency_code"]),
        payment_id=noted[1] if len(noted) > 1 else None,
        respond_by=datetime.fromisoformat(due) if due and status != _RESOLVED else None,
        created_at=datetime.fromisoformat(found["create_time"]),
    )
