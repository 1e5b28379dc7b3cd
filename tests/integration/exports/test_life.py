"""What becomes of exports: messages, sweeps, download URLs, and their end."""

import json
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
from repositories.exports import messages, reading, walking
from repositories.exports.rows import OVERDUE_AFTER
from tests.faults import interleaved
from tests.integration.exports.exporting import Exporting, fetch, sorted_ids
from tests.work_lists import own_work_list


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
            assert sorted_ids(exporting, other) == few_orders
    shown = exporting.shop.get(f"/exports/{lost}").json
    assert (shown["status"], shown["error"]) == ("failed", "It made no progress for two hours.")
    assert not any("gsi3pk" in row for row in [*exporting.rows(lost), *exporting.rows(other)])


@pytest.mark.parametrize("number", [1, 2, 5, 7])
def test_an_export_that_is_cancelled_before_a_workers_transaction_stays_so(
    exporting: Exporting, few_orders: list[str], number: int
) -> None:
    export_id = exporting.begin("orders")
    path, answers = f"/exports/{export_id}", list[int]()

    def cancel() -> None:
        answers.append(exporting.shop.call("DELETE", path).status)

    with interleaved(cancel, number=number):
        for _ in range(8):
            for row in exporting.pending(export_id)[:1]:
                exporting.work(row)
    assert answers == [204]
    assert exporting.shop.get(path).json["status"] == "cancelled"


def test_a_part_that_is_written_before_the_sweeps_transaction_counts(
    later: list[timedelta], exporting: Exporting, few_orders: list[str]
) -> None:
    export_id = exporting.begin("orders")
    [row] = exporting.pending(export_id)
    later[0] += OVERDUE_AFTER + timedelta(minutes=1)
    with interleaved(lambda: exporting.work(row)):
        invoke("SweepExports", scheduled_event(now()))
    assert sorted_ids(exporting, export_id) == few_orders


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
