"""Parts of exports: each is written once, whatever is interrupted, and all together have every row once."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest

from domain.common.environment import now
from domain.exports import MAX_STALLS
from local.aws import files
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from repositories.dynamodb.codec import encode
from repositories.dynamodb.work_list import Work
from repositories.exports import messages, reading, walking, working
from repositories.exports.files import Content, write_once
from repositories.exports.rows import OVERDUE_AFTER
from tests.deaths import Death, KilledError, dying
from tests.integration.exports.exporting import Exporting, download, fetch, read
from tests.shop import Shop, race
from tests.work_lists import own_work_list


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of two entries a shard, and parts of five rows."""
    monkeypatch.setattr(walking, "PAGE", 2)
    monkeypatch.setattr(reading, "MAX_ROWS", 5)


@pytest.fixture
def orders(shop: Shop) -> list[str]:
    """Ids of 40 orders, oldest first."""
    item = shop.add()["id"]
    return [shop.order({item: 1}).json["id"] for _ in range(40)]


def _ids(finished: dict[str, Any]) -> list[str]:
    assert finished["status"] == "succeeded"
    return [each["order_id"] for file in finished["files"] for each in read("jsonl", download(file))]


def test_parts_have_every_row_once(exporting: Exporting, orders: list[str], small_parts: None) -> None:
    finished = exporting.finish(exporting.begin("orders"))
    assert sorted(_ids(finished)) == orders
    progress = finished["progress"]
    assert progress["parts"] == progress["parts_done"] == len(finished["files"]) > 5
    assert progress["rows"] == sum(each["rows"] for each in finished["files"]) == 40
    assert progress["bytes"] == sum(each["bytes"] for each in finished["files"])


def test_one_part_has_its_rows_in_order(exporting: Exporting, orders: list[str]) -> None:
    finished = exporting.finish(exporting.begin("orders"))
    assert (_ids(finished), len(finished["files"])) == (orders, 1)


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
    assert sorted(_ids(exporting.finish(export_id))) == orders
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


def _finish(exporting: Exporting, export_id: str) -> list[str]:
    return sorted(_ids(exporting.finish(export_id)))


@pytest.fixture
def few_orders(shop: Shop, small_parts: None) -> list[str]:
    item = shop.add()["id"]
    return [shop.order({item: 1}).json["id"] for _ in range(9)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_may_die_at_any_call(exporting: Exporting, few_orders: list[str], when: Death) -> None:
    """The message comes again, or it is lost and the sweep calls the worker for the whole export."""
    number = 0
    while True:
        export_id = exporting.begin("orders")
        if not _dies(exporting, export_id, number, when):
            assert number > 20
            return
        kind = ("export", "export_part")[number % 2]
        for row in exporting.rows(export_id):
            if row["type"] == kind:
                exporting.work(row)
        assert _finish(exporting, export_id) == few_orders
        number += 1


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
    assert sorted(_ids(finished)) == few_orders
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
    assert sorted(_ids(finished)) == few_orders
    assert len(finished["files"]) == finished["progress"]["parts"]


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


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch, database: str) -> list[timedelta]:
    """How much later it is for sweeps."""
    ahead = [timedelta()]
    own_work_list(monkeypatch, Work.EXPORT)
    monkeypatch.setattr("handlers.triggers.sweep_exports.now", lambda: now() + ahead[0])
    return ahead


def test_an_export_without_progress_is_looked_after_and_fails_in_the_end(
    later: list[timedelta], exporting: Exporting, few_orders: list[str]
) -> None:
    lost, other = exporting.begin("orders"), exporting.begin("orders")
    for stalls in range(1, MAX_STALLS + 1):
        later[0] += OVERDUE_AFTER + timedelta(minutes=1)
        invoke("SweepExports", scheduled_event(now()))
        if stalls == 1:
            [head] = [row for row in exporting.rows(other) if row["type"] == "export"]
            assert head["stalls"] == 1
            exporting.work(head)
            assert _finish(exporting, other) == few_orders
    shown = exporting.shop.get(f"/exports/{lost}").json
    assert (shown["status"], shown["error"]) == ("failed", "It made no progress for two hours.")
    assert not any("gsi3pk" in row for row in [*exporting.rows(lost), *exporting.rows(other)])


def test_the_relay_sends_what_is_to_be_written(exporting: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(messages, "send_to_queue", lambda _, entries: sent.extend(entries))
    export_id = exporting.begin("orders")
    head, part = exporting.rows(export_id)
    stalled = head | {"stalls": 1, "gsi3sk": "later"}

    def change(name: str, row: Any, before: Any = None) -> dict[str, Any]:
        images = {"NewImage": encode(row)} | ({"OldImage": encode(before)} if before else {})
        return {"eventName": name, "dynamodb": images}

    records = [change("INSERT", part), change("MODIFY", head | {"gsi3sk": "x"}, head), change("MODIFY", stalled, head)]
    invoke("RelayEvents", {"Records": records})
    first, second = sent
    assert json.loads(first["MessageBody"])["sk"] == part["sk"]
    assert 28 <= first["DelaySeconds"] <= 32  # when nothing can be added any more
    assert (json.loads(second["MessageBody"])["sk"], second["DelaySeconds"]) == (head["sk"], 0)


def test_reading_keeps_its_pace(exporting: Exporting, few_orders: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(walking, "monotonic", lambda: 0.0)
    monkeypatch.setattr(walking, "sleep", waited.append)
    monkeypatch.setattr(reading, "MAX_ROWS", 100)
    exporting.finish(exporting.begin("orders"))
    assert waited
    assert waited[-1] == pytest.approx(max(waited))
    assert waited[-1] * walking.UNITS_PER_SECOND > 9 * 0.5


def test_a_url_needs_its_signature_and_expires(
    exporting: Exporting, few_orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    [file] = exporting.finish(exporting.begin("items"))["files"]
    assert fetch(file["url"]).status_code == 200
    assert fetch(file["url"]).headers["content-disposition"].startswith('attachment; filename="export_')
    assert fetch(file["url"][:-1] + ("0" if file["url"][-1] != "0" else "1")).status_code == 403
    assert fetch(file["url"].partition("?")[0]).status_code == 403
    assert fetch(file["url"].replace("part-00001", "part-00002")).status_code == 403
    assert fetch(file["url"].replace("X-Amz-Expires=900", "X-Amz-Expires=9000")).status_code == 403

    monkeypatch.setattr(files, "_now", lambda: now() + timedelta(minutes=16))
    assert fetch(file["url"]).status_code == 403


def test_files_are_gone_after_seven_days(exporting: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = exporting.finish(exporting.begin("items"))
    later = now() + timedelta(days=7)
    monkeypatch.setattr("handlers.http.admission.now", lambda: later)
    shown = exporting.shop.get(f"/exports/{finished['id']}").json
    assert (shown["status"], shown["files"], shown["manifest"]) == ("succeeded", [], None)
    assert finished["expires_at"] <= later.isoformat()
