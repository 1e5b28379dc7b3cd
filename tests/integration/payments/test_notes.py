"""Tests of notes of payouts and disputes, as walks that meet write them."""

from datetime import timedelta
from typing import Any

import pytest

from domain.common.environment import monotonic, now
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.table import Meter, Table
from repositories.dynamodb.transaction import WriteTransaction
from repositories.payments.accounting import reconciling
from tests.integration.payments.clock import Clock, sweep
from tests.integration.payments.tills import StripeTill


def test_what_another_walk_has_noted_is_noted_once(
    stripe: StripeTill, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading and writing a note, another walk writes it: first what is new, then what has changed."""

    def walk() -> None:
        clock.ahead += timedelta(hours=1, minutes=2)
        sweep()

    add_note, noted = reconciling._add_note, list[tuple[str, int]]()

    def overtaken(tx: WriteTransaction, what: str, stored: Any, row: Any) -> None:
        other = WriteTransaction(tx.table)
        add_note(other, what, stored, row)
        other.commit(monotonic() + 10)
        noted.append((what, row["version"]))
        add_note(tx, what, stored, row)

    monkeypatch.setattr(reconciling, "_add_note", overtaken)
    disputed, other = (stripe.begun(stripe.order()) for _ in range(2))
    stripe.pay_with(disputed, "pm_card_createDispute")
    stripe.confirm(other)
    for each in (disputed, other):
        stripe.refresh(each)
    stripe.banks.stripe.pay_out(stripe.account)
    walk()
    [payout], [dispute] = (stripe.shop.get(f"/{each}").json["items"] for each in ("payouts", "disputes"))
    stripe.banks.stripe.settle(stripe.account, payout["id"], arrives=True)
    stripe.banks.stripe.decide(stripe.account, dispute["id"], won=True)
    walk()
    assert sorted(noted) == [("dispute", 1), ("dispute", 2), ("payout", 1), ("payout", 2)]
    table, tenant = Table(dynamodb(), "tradepost", Meter()), stripe.shop.tenant
    days = {pk for hours in range(5) for pk in keys.event_pks(tenant, now() + timedelta(hours=hours))}
    kinds = {event["kind"] for pk in days for row in table.whole_partition(pk) for event in row["events"]}
    assert kinds & {"PayoutChanged", "DisputeChanged"} == set()
