"""Tests of the API against a model of a shop: random commands, retried and repeated, with invariants after each."""

from collections import defaultdict
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from domain.common.environment import now
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.table import Meter, Table
from tests.faults import FAULTS, Fault, injected
from tests.shop import Answer, Shop, send_in_process

MOVES = {
    "pay": ("pending", "paid"),
    "cancel": ("pending", "cancelled"),
    "ship": ("paid", "shipped"),
    "refund": ("paid", "refunded"),
    "deliver": ("shipped", "delivered"),
}
PRICE = 1299


class Trade(RuleBasedStateMachine):
    """Model of a shop's items and orders."""

    items = Bundle("items")
    orders = Bundle("orders")

    @initialize()
    def open(self) -> None:
        self.shop = Shop(send_in_process)
        self.since = now()
        self.on_hand: dict[str, int] = {}
        self.status: dict[str, str] = {}
        self.wanted: dict[str, dict[str, int]] = {}
        self.sent = 0

    def _send(self, path: str, body: Any, fault: Fault | None, repeated: bool) -> Answer:
        """Send a command, with a fault if given, and repeat it if asked; the repetition must return the same body."""
        self.sent += 1
        key = f"k{self.sent}"
        if fault:
            with injected(fault, at=self.sent % 3):
                answer = self.shop.post(path, body, key)
        else:
            answer = self.shop.post(path, body, key)
        if repeated:
            assert self.shop.post(path, body, key).body == answer.body
        return answer

    def _free(self, item_id: str) -> int:
        return self.on_hand[item_id] - self._reserved(item_id)

    def _reserved(self, item_id: str) -> int:
        held = (order for order, status in self.status.items() if status in {"pending", "paid"})
        return sum(self.wanted[order].get(item_id, 0) for order in held)

    faults = st.sampled_from([None, None, None, *FAULTS])

    @rule(target=items, stock=st.integers(0, 20))
    def add_item(self, stock: int) -> str:
        item_id = str(self.shop.add(stock=stock)["id"])
        self.on_hand[item_id] = stock
        return item_id

    @rule(item_id=items, delta=st.integers(-8, 12), fault=faults, repeated=st.booleans())
    def count(self, item_id: str, delta: int, fault: Fault | None, repeated: bool) -> None:
        body = {"delta": delta, "reason": "count"}
        answer = self._send(f"/items/{item_id}/stock", body, fault, repeated)
        enough = self._free(item_id) + delta >= 0
        assert (answer.status, answer.code) == ((200, "") if enough else (409, "OUT_OF_STOCK"))
        self.on_hand[item_id] += delta * enough

    @rule(item_id=items, count=st.integers(1, 5), fault=faults)
    def split(self, item_id: str, count: int, fault: Fault | None) -> None:
        assert self._send(f"/items/{item_id}/stock-buckets", {"count": count}, fault, False).status == 200

    @rule(
        target=orders,
        wanted=st.lists(st.tuples(items, st.integers(1, 6)), min_size=1, max_size=4),
        fault=faults,
        repeated=st.booleans(),
    )
    def place(self, wanted: list[tuple[str, int]], fault: Fault | None, repeated: bool) -> str:
        lines = [{"item_id": item_id, "quantity": units} for item_id, units in wanted]
        answer = self._send("/orders", {"lines": lines}, fault, repeated)
        units: dict[str, int] = defaultdict(int)
        for item_id, count in wanted:
            units[item_id] += count
        if any(self._free(item_id) < count for item_id, count in units.items()):
            assert answer.code == "OUT_OF_STOCK"
            return ""
        assert answer.status == 201
        order = answer.json
        assert order["total"]["amount"] == f"{sum(units.values()) * PRICE / 100:.2f}"
        self.status[order["id"]], self.wanted[order["id"]] = "pending", dict(units)
        return str(order["id"])

    @rule(order_id=orders, move=st.sampled_from(sorted(MOVES)), fault=faults, repeated=st.booleans())
    def move(self, order_id: str, move: str, fault: Fault | None, repeated: bool) -> None:
        if not order_id:
            return
        path = "payments" if move == "pay" else move
        body = {"provider": "manual"} if move == "pay" else None
        answer = self._send(f"/orders/{order_id}/{path}", body, fault, repeated)
        before, after = MOVES[move]
        legal = self.status[order_id] == before
        assert (answer.status in {200, 201}, answer.code) == ((True, "") if legal else (False, "INVALID_STATE"))
        if not legal:
            return
        self.status[order_id] = after
        if move == "ship":
            for item_id, units in self.wanted[order_id].items():
                self.on_hand[item_id] -= units

    @invariant()
    def stock_is_what_orders_left(self) -> None:
        for item_id, on_hand in self.on_hand.items():
            reserved = self._reserved(item_id)
            assert self.shop.stock(item_id) == (on_hand, reserved, on_hand - reserved)
            assert 0 <= reserved <= on_hand

    def teardown(self) -> None:
        """Check every order against the model, and that each change has one event, in a sequence without gaps."""
        if not hasattr(self, "shop"):
            return
        for order_id, status in self.status.items():
            order = self.shop.get(f"/orders/{order_id}").json
            assert order["status"] == status
            assert order["version"] == len(order["history"])
            total = sum(round(float(line["total"]["amount"]) * 100) for line in order["lines"])
            assert round(float(order["total"]["amount"]) * 100) == total
        told = _events(self.shop.tenant, self.since)
        for subject, sequences in told.items():
            assert sorted(sequences) == list(range(1, len(sequences) + 1)), subject
        for order_id in self.status:
            assert len(told[order_id]) == self.shop.get(f"/orders/{order_id}").json["version"]


def _events(tenant: str, since: datetime) -> dict[str, list[int]]:
    """Return the sequence numbers of a tenant's events, by subject."""
    told: dict[str, list[int]] = defaultdict(list)
    table = Table(dynamodb(), "tradepost", Meter())
    for hour in {f"{at:%Y-%m-%dT%H}" for at in (since, now())}:
        for shard in range(keys.SHARDS):
            for row in table.whole_partition(f"{keys.tenant_prefix(tenant)}EVENT#{hour}#{shard}"):
                for event in row["events"]:
                    told[event["subject"]].append(event["sequence"])
    return told


def test_a_shop_in_any_order(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("transaction", "session", "table"):
        monkeypatch.setattr(f"repositories.dynamodb.{name}.backoff_seconds", lambda _: 0.0)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    run_state_machine_as_test(
        Trade,
        settings=settings(
            max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
