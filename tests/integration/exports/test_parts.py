"""Parts of exports: each is written once, whatever is interrupted, and all together have every row once."""

import json
import threading
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError

from domain.common.environment import now
from repositories.aws.settings import settings
from repositories.exports import reading, working
from repositories.exports.files import Content, write_once
from tests.deaths import Death, KilledError, dying
from tests.integration.exports.exporting import Exporting, download, order_ids, read, sell, sorted_ids
from tests.shop import Shop, race


@pytest.fixture
def orders(shop: Shop) -> list[str]:
    """Ids of 40 orders, oldest first."""
    item = shop.add()["id"]
    return [shop.order({item: 1}).json["id"] for _ in range(40)]


def test_parts_have_every_row_once(exporting: Exporting, orders: list[str], small_parts: None) -> None:
    finished = exporting.finish(exporting.begin("orders"))
    assert sorted(order_ids(finished)) == orders
    progress = finished["progress"]
    assert progress["parts"] == progress["parts_done"] == len(finished["files"]) > 5
    assert progress["rows"] == sum(each["rows"] for each in finished["files"]) == 40
    assert progress["bytes"] == sum(each["bytes"] for each in finished["files"])


def test_one_part_has_its_rows_in_order(exporting: Exporting, orders: list[str]) -> None:
    finished = exporting.finish(exporting.begin("orders"))
    assert (order_ids(finished), len(finished["files"])) == (orders, 1)


def test_the_manifest_says_what_each_file_has(exporting: Exporting, orders: list[str], small_parts: None) -> None:
    finished = exporting.finish(exporting.begin("orders", to=now().isoformat()))
    content = download(finished["manifest"] | {"rows": 0})
    manifest = json.loads(content)
    assert (manifest["id"], manifest["rows"], manifest["from"]) == (finished["id"], 40, None)
    for listed, shown in zip(manifest["files"], finished["files"], strict=True):
        names = ("name", "rows", "sha256", "bytes")
        assert [listed[name] for name in names] == [shown[name] for name in names]
        if shown["rows"]:
            [amount] = listed["sums"]["total_amount"].values()
            assert amount == f"{shown['rows'] * 12.99:.2f}"


@pytest.mark.parametrize("dataset", ["order_lines", "items", "payments", "ledger_entries"])
def test_parts_of_other_datasets(exporting: Exporting, shop: Shop, small_parts: None, dataset: str) -> None:
    whole = [exporting.export(dataset) for _ in range(1)]
    assert whole == [[]]
    items = [shop.add()["id"] for _ in range(20)]
    for item in items:
        shop.pay(shop.order({item: 1}).json["id"])
    parts = exporting.export(dataset)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "MAX_ROWS", 1000)
        once = exporting.export(dataset)
    key = [*once[0]][:2]
    assert len(once) == (40 if dataset == "ledger_entries" else 20)
    assert sorted([row[name] for name in key] for row in parts) == sorted([row[name] for name in key] for row in once)


def test_orders_that_are_placed_during_an_export_are_not_in_it(
    exporting: Exporting, orders: list[str], small_parts: None, shop: Shop
) -> None:
    export_id = exporting.begin("orders")
    item, placed = shop.add()["id"], 0
    while pending := exporting.pending(export_id):
        for row in pending:
            shop.order({item: 1})
            placed += 1
            exporting.work(row)
    assert sorted(order_ids(exporting.finish(export_id))) == orders
    assert placed > 5


def test_an_item_that_is_archived_during_an_export_is_in_it_once(
    exporting: Exporting, shop: Shop, small_parts: None
) -> None:
    items = [shop.add()["id"] for _ in range(30)]
    export_id = exporting.begin("items")
    archived = iter(items)
    while pending := exporting.pending(export_id):
        for row in pending:
            for _ in range(2):
                if item := next(archived, None):
                    assert shop.delete(f"/items/{item}", "*").status == 204
            exporting.work(row)
    finished = exporting.finish(export_id)
    found = [each["item_id"] for file in finished["files"] for each in read("jsonl", download(file))]
    assert sorted(found) == items


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_may_die_at_any_call(exporting: Exporting, few_orders: list[str], when: Death) -> None:
    """The message comes again, or it is lost and the sweep calls the worker for the whole export."""
    number = {"before": 0, "after": 1}[when]  # to die after a call is nearly to die before the next one
    while True:
        export_id = exporting.begin("orders")
        if not _dies(exporting, export_id, number, when):
            assert number > 20
            return
        kind = ("export", "export_part")[number // 2 % 2]
        for row in exporting.rows(export_id):
            if row["type"] == kind:
                exporting.work(row)
        assert sorted_ids(exporting, export_id) == few_orders
        number += 2


def _dies(exporting: Exporting, export_id: str, number: int, when: Death) -> bool:
    """Write parts with a worker that dies at its call of this number; return False if it did not get so far."""
    with dying(number, when):
        try:
            exporting.finish(export_id)
        except KilledError:
            return True
    return False


def test_two_workers_of_one_part_write_it_once(exporting: Exporting, few_orders: list[str]) -> None:
    export_id = exporting.begin("orders")
    while pending := exporting.pending(export_id):
        race(len(pending) * 2, lambda n, rows=pending: exporting.work(rows[n // 2]))  # type: ignore[misc]
    finished = exporting.finish(export_id)
    assert sorted(order_ids(finished)) == few_orders
    assert finished["progress"]["parts_done"] == len(finished["files"])


def test_a_part_that_another_has_written_meanwhile_counts_once(
    exporting: Exporting, few_orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = exporting.begin("orders")
    [row] = exporting.pending(export_id)
    write, once = write_once, threading.Lock()

    def overtaken(name: str, content: Content) -> None:
        write(name, content)
        if once.acquire(blocking=False):
            exporting.work(row)

    monkeypatch.setattr(working, "write_once", overtaken)
    exporting.work(row)
    finished = exporting.finish(export_id)
    assert sorted(order_ids(finished)) == few_orders
    assert len(finished["files"]) == finished["progress"]["parts"]


def test_a_bucket_that_refuses_leaves_nothing_half(
    exporting: Exporting, few_orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    export_id = exporting.begin("orders")
    [row] = exporting.pending(export_id)
    elsewhere = settings().model_copy(update={"export_bucket": "none-of-ours"})
    with monkeypatch.context() as patch:
        patch.setattr("repositories.exports.files.settings", lambda: elsewhere)
        with pytest.raises(ClientError, match="NoSuchKey"):
            exporting.work(row)
    shown = exporting.shop.get(f"/exports/{export_id}").json
    assert (shown["status"], shown["files"], shown["progress"]["parts_done"]) == ("running", [], 0)
    assert sorted_ids(exporting, export_id) == few_orders


def test_the_sums_of_the_manifest_are_those_of_the_books(exporting: Exporting, shop: Shop, small_parts: None) -> None:
    mug, stamp = shop.add(stock=50)["id"], shop.add(price={"amount": "7", "currency": "JPY"})["id"]
    for units in range(1, 8):
        sell(shop, {mug: units})
        sell(shop, {stamp: units})
        shop.order({mug: 1})
    finished = exporting.finish(exporting.begin("orders", status="paid"))
    sums: dict[str, Decimal] = {}
    for file in json.loads(download(finished["manifest"] | {"rows": 0}))["files"]:
        for currency, amount in file["sums"].get("total_amount", {}).items():
            sums[currency] = sums.get(currency, Decimal()) + Decimal(amount)
    books = {
        each["currency"]: Decimal(each["debit"])
        for each in shop.get("/ledger/trial-balance").json["accounts"]
        if each["code"].startswith("shop.cash.")
    }
    assert sums == books == {"EUR": Decimal("363.72"), "JPY": Decimal(196)}


def test_a_cancelled_export_is_written_no_further(exporting: Exporting, few_orders: list[str]) -> None:
    shop, export_id = exporting.shop, exporting.begin("orders")
    [row] = exporting.pending(export_id)
    exporting.work(row)
    assert shop.get(f"/exports/{export_id}").json["status"] == "running"
    for _ in range(2):
        assert shop.call("DELETE", f"/exports/{export_id}").status == 204
    for row in exporting.pending(export_id):
        exporting.work(row)
    shown = shop.get(f"/exports/{export_id}").json
    assert (shown["status"], shown["files"], shown["progress"]["parts_done"]) == ("cancelled", [], 1)
    finished = exporting.finish(exporting.begin("orders"))
    refused = shop.call("DELETE", f"/exports/{finished['id']}")
    assert (refused.status, refused.code) == (409, "INVALID_STATE")
