"""Tests of the AsyncAPI document and the types of events."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.event_data.kinds import KINDS
from domain.event_types import TYPES
from handlers.asyncapi import asyncapi, asyncapi_json
from handlers.registry import ROOT
from tests.contract.node import run

_WRITTEN = re.compile(r'(?:DomainEvent|EventBody|user_event|_event)\(\s*"([A-Z][A-Za-z]+)"')

RELEASED = ROOT / "docs" / "asyncapi.released.json"
NOT_OURS = {"asyncapi-servers", "asyncapi-info-contact", "asyncapi-latest-version"}
"""Rules about what only operators know, and about version 3.1, which few tools read."""

type Json = dict[str, Any]


def test_the_committed_document_is_what_the_types_make() -> None:
    committed = (ROOT / "docs" / "asyncapi.json").read_text()
    assert committed == asyncapi_json(), "run `uv run tradepost openapi`"


def test_every_kind_that_is_written_has_a_type() -> None:
    written = {kind for path in Path(ROOT, "repositories").rglob("*.py") for kind in _WRITTEN.findall(path.read_text())}
    assert written <= KINDS.keys()
    assert {"OrderPlaced", "StockAdjusted", "UserDeleted", "TransactionReversed"} <= written


def test_types_have_the_names_of_their_kinds() -> None:
    assert len(TYPES) == len(KINDS)
    assert TYPES["tradepost.order.partially_shipped"] == "OrderPartiallyShipped"
    assert all(re.fullmatch(r"tradepost\.[a-z]+\.[a-z_]+", name) for name in TYPES)


def test_all_references_of_the_document_lead_somewhere() -> None:
    document = asyncapi()
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        place = document
        for part in reference.split("/"):
            place = place[part]
    for message in document["components"]["messages"].values():
        assert message["summary"].endswith(".")


def test_a_validator_finds_nothing(node: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text('extends: ["spectral:asyncapi"]')
    document = str(ROOT / "docs" / "asyncapi.json")
    command = ("npx", "spectral", "lint", document, "-r", str(tmp_path / "rules.yaml"), "-f", "json", "-q")
    found = json.loads(run(node, *command))
    assert {each["code"] for each in found} <= NOT_OURS


def breaks(before: Json, after: Json) -> list[str]:
    """Return the changes that break readers of `before`: types and fields that are gone, or have other schemas."""
    found = []
    for kind, message in before["components"]["messages"].items():
        now = after["components"]["messages"].get(kind)
        if now is None or now["name"] != message["name"]:
            found.append(f"{message['name']} is gone")
            continue
        old, new = (each["components"]["schemas"][kind] for each in (before, after))
        found += _fields(message["name"], old, new)
    old, new = (each["components"]["schemas"]["Event"] for each in (before, after))
    return found + _fields("Event", old, new)


def _fields(name: str, before: Json, after: Json) -> list[str]:
    found = []
    for field, schema in before.get("properties", {}).items():
        now = after.get("properties", {}).get(field)
        if now is None:
            found.append(f"{name} has no {field}")
        elif now != schema:
            found.append(f"{name} has another {field}")
    optional = set(before.get("required", ())) - set(after.get("required", ()))
    return found + [f"{name} may lack {field}" for field in sorted(optional & set(after.get("properties", {})))]


def test_no_event_that_was_released_breaks() -> None:
    assert breaks(json.loads(RELEASED.read_text()), asyncapi()) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["messages"].pop("OrderPaid"), "tradepost.order.paid is gone"),
        (lambda d: d["messages"]["OrderPaid"].update(name="x.y"), "tradepost.order.paid is gone"),
        (lambda d: d["schemas"]["OrderPaid"]["properties"].pop("status"), "tradepost.order.paid has no status"),
        (
            lambda d: d["schemas"]["StockAdjusted"]["properties"]["delta"].update(type="string"),
            "tradepost.stock.adjusted has another delta",
        ),
        (lambda d: d["schemas"]["StockAdjusted"]["required"].remove("delta"), "may lack delta"),
        (lambda d: d["schemas"]["Event"]["properties"].pop("sequence"), "Event has no sequence"),
    ],
)
def test_a_breaking_change_is_named(change: Callable[[Json], Any], said: str) -> None:
    changed = json.loads(asyncapi_json())
    change(changed["components"])
    assert any(said in each for each in breaks(json.loads(RELEASED.read_text()), changed))
