"""Tests of running an audit: interruption, read rate, concurrent trading."""

import json
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.progress import Progress

from cli.audit import Audit, BrokenError
from cli.audit.reading import Reading
from cli.commands.running import RUNNING
from repositories.dynamodb import keys
from repositories.dynamodb.table import Meter, Table
from repositories.orders.rows import COLLECTION
from tests.conftest import Server
from tests.faults import interleaved
from tests.integration.audit.common import audit, audit_of, change_row
from tests.shop import Shop


@pytest.mark.parametrize("broken", [False, True])
def test_an_audit_that_was_stopped_goes_on(
    shop: Shop, trade: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    """The result is the same if the audit is interrupted after each save."""
    for module in ("reading", "chains"):
        monkeypatch.setattr(f"cli.audit.{module}.PAGE", 2)
    whole = audit(shop, tmp_path)
    save = Reading.save
    stops = 0

    def stop(self: Reading) -> None:
        save(self)
        raise KeyboardInterrupt

    table = keys.stock(shop.tenant, trade["item"])
    if broken:
        change_row(table, "SET reserved = reserved + :n, on_hand = on_hand + :n", n=1)
    while True:
        with monkeypatch.context() as patch:
            patch.setattr(Reading, "save", stop)
            try:
                assert audit(shop, tmp_path) == whole
                assert not broken
                break
            except BrokenError:
                assert broken
                break
            except KeyboardInterrupt:
                stops += 1
                assert json.loads((tmp_path / "state.json").read_text())
    assert stops > 10


def test_it_reads_no_faster_than_it_may(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    """Uses a simulated clock on which reads take no time and only pauses do."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    auditing = audit_of(shop, tmp_path, rate=100)
    reading = auditing.reading
    auditing.reading = Reading(reading.table, shop.tenant, reading.state, reading.file, 100, lambda: clock[0], sleep)
    auditing.run()
    units = auditing.reading.table.meter.read_units
    assert units / 100 - 0.3 <= clock[0] <= units / 100 + 0.001


@contextmanager
def _during(phases: Collection[str], other: Callable[[], Any]) -> Iterator[None]:
    """Call `other` whenever an audit enters one of these phases."""
    enter = Reading.enter

    def entering(self: Reading, phase: str) -> None:
        enter(self, phase)
        if phase in phases:
            other()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reading, "enter", entering)
        yield


def test_orders_that_move_during_the_audit_do_not_alarm(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    auditing = audit_of(shop, tmp_path)
    with _during({"stock"}, lambda: shop.move(trade["pending"], "cancel")):
        checked = auditing.run()
    assert (checked["stock"], checked["orders again"], auditing.unsettled) == (2, 5, [])


def test_an_order_refunded_while_it_is_looked_at_does_not_alarm(
    shop: Shop, rival: Shop, trade: dict[str, str], tmp_path: Path
) -> None:
    with interleaved(lambda: rival.move(trade["paid"], "refund"), before="TransactGetItems"):
        audit(shop, tmp_path)


def test_steady_trade_does_not_alarm(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    """In each phase, one more order is placed, paid and shipped that the rows read before do not show."""

    def sell() -> None:
        order = shop.order({trade["item"]: 1}).json["id"]
        shop.pay(order)
        shop.move(order, "ship")

    for phases in ({"stock"}, {"orders again", "stock"}, {"orders", "orders again", "stock", "stock again"}):
        auditing = audit_of(shop, tmp_path)
        with _during(phases, sell):
            auditing.run()
        assert (auditing.unsettled == []) == ("stock again" not in phases)


def test_an_audit_ends_though_trade_is_faster(
    shop: Shop, trade: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each order that is read is followed by one in the same part of the list, which the audit does not read."""
    monkeypatch.setattr("cli.audit.reading.PAGE", 1)
    item, read = shop.add(stock=1000)["id"], 0
    for [row] in audit_of(shop, tmp_path).reading.listed(COLLECTION):
        read += 1
        assert read < 100
        while keys.shard(shop.order({item: 1}).json["id"]) != keys.shard(row["head"]["id"]):
            pass
    assert read >= 5


def test_trade_in_another_process_does_not_alarm(
    served: Shop, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit of the running server's table, while traders place, pay and ship continuously.

    They stop after some orders: each of its phases reads all orders again, so it takes longer the more they sell.
    """
    monkeypatch.undo()  # While others post, only settled transactions are final.
    item = served.add(stock=1000)["id"]
    served.post(f"/items/{item}/stock-buckets", {"count": 4})
    done = threading.Event()

    def trade(_: int) -> int:
        sold = 0
        for _ in range(60):
            if done.is_set():
                break
            placed = served.order({item: 1})
            assert placed.status in {201, 503}, placed  # a machine that is busy may be too slow for a request
            if placed.status == 201:
                served.pay(placed.json["id"])
                sold += served.move(placed.json["id"], "ship").status == 200
        return sold

    endpoint = json.loads((server.data / RUNNING).read_text())["database"]
    local = boto3.Session("local", "local", region_name="eu-west-1")
    table = Table(local.client("dynamodb", endpoint_url=endpoint), "tradepost", Meter())
    with ThreadPoolExecutor(2) as traders:
        trading = [traders.submit(trade, n) for n in range(2)]
        try:
            Audit(table, served.tenant, tmp_path / "state.json", 1e6, Progress(disable=True)).run()
        finally:
            done.set()
    assert sum(each.result() for each in trading) > 0


def test_a_break_is_found_though_the_index_is_late_and_trade_goes_on_elsewhere(
    shop: Shop, trade: dict[str, str], tmp_path: Path
) -> None:
    auditing = audit_of(shop, tmp_path)
    other = shop.add(stock=9)["id"]
    change_row(keys.stock(shop.tenant, trade["item"]), "SET on_hand = on_hand + :n, reserved = reserved + :n", n=1)
    traded = _during({"orders again"}, lambda: shop.order({other: 1}))
    with traded, pytest.raises(BrokenError, match="orders hold"):
        auditing.run()
