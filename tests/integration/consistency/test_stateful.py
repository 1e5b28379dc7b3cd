"""Tests of the API against a model of a shop: random commands, retried and repeated, with invariants after each."""

from collections import Counter, defaultdict
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
    "pay": ({"pending"}, "paid"),
    "cancel": ({"pending"}, "cancelled"),
    "ship": ({"paid"}, "shipped"),
    "refund": ({"paid", "shipped", "delivered"}, "refunded"),
    "deliver": ({"shipped"}, "delivered"),
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
        self.shipped: dict[str, Counter[str]] = defaultdict(Counter)
        self.freed: dict[str, Counter[str]] = defaultdict(Counter)
        self.refunded: dict[str, Counter[str]] = defaultdict(Counter)
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
        return sum(self._to_ship(order).get(item_id, 0) for order in held)

    def _to_ship(self, order_id: str) -> dict[str, int]:
        """Return the units of an order that were neither shipped nor refunded before, by item."""
        shipped, freed = self.shipped[order_id], self.freed[order_id]
        return {item: units - shipped[item] - freed[item] for item, units in self.wanted[order_id].items()}

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
        left = self._to_ship(order_id)
        legal = self.status[order_id] in before and (move != "ship" or any(left.values()))
        assert (answer.status in {200, 201}, answer.code) == ((True, "") if legal else (False, "INVALID_STATE"))
        if not legal:
            return
        self.status[order_id] = after
        if move == "ship":
            self._ship(order_id, left)

    def _ship(self, order_id: str, units: dict[str, int]) -> None:
        self.shipped[order_id].update(units)
        for item_id, count in units.items():
            self.on_hand[item_id] -= count
        if not any(self._to_ship(order_id).values()):
            self.status[order_id] = "shipped"

    @rule(order_id=orders, place=st.integers(0, 3), units=st.integers(1, 4), fault=faults, repeated=st.booleans())
    def ship_part(self, order_id: str, place: int, units: int, fault: Fault | None, repeated: bool) -> None:
        if not order_id:
            return
        item_id = [*self.wanted[order_id]][place % len(self.wanted[order_id])]
        body = {"lines": [{"item_id": item_id, "quantity": units}]}
        answer = self._send(f"/orders/{order_id}/shipments", body, fault, repeated)
        legal = self.status[order_id] == "paid" and units <= self._to_ship(order_id)[item_id]
        assert (answer.status, answer.code) == ((201, "") if legal else (409, "INVALID_STATE"))
        if legal:
            self._ship(order_id, {item_id: units})

    @rule(
        order_id=orders,
        place=st.integers(0, 3),
        units=st.integers(1, 4),
        restock=st.booleans(),
        fault=faults,
        repeated=st.booleans(),
    )
    def refund_part(
        self, order_id: str, place: int, units: int, restock: bool, fault: Fault | None, repeated: bool
    ) -> None:
        if not order_id:
            return
        wanted, refunded = self.wanted[order_id], self.refunded[order_id]
        item_id = [*wanted][place % len(wanted)]
        body = {"lines": [{"item_id": item_id, "quantity": units, "restock": restock}]}
        answer = self._send(f"/orders/{order_id}/refunds", body, fault, repeated)
        if self.status[order_id] in {"pending", "cancelled"}:
            assert answer.code == "INVALID_STATE"
        elif self.status[order_id] == "refunded" or units > wanted[item_id] - refunded[item_id]:
            assert answer.code == "REFUND_TOO_LARGE"
        else:
            assert answer.status == 201
            freed = min(units, self._to_ship(order_id)[item_id])
            self.freed[order_id][item_id] += freed
            self.on_hand[item_id] += (units - freed) * restock
            refunded[item_id] += units
            if refunded == wanted:
                self.status[order_id] = "refunded"
            elif self.status[order_id] == "paid" and self._is_shipped(order_id):
                self.status[order_id] = "shipped"

    def _is_shipped(self, order_id: str) -> bool:
        return bool(self.shipped[order_id].total()) and not any(self._to_ship(order_id).values())

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
            parts = len(order["shipments"]) + len(order["refunds"])
            assert len(order["history"]) <= order["version"] <= len(order["history"]) + parts
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
    for pk in {pk for at in (since, now()) for pk in keys.event_pks(tenant, at)}:
        for row in table.whole_partition(pk):
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
