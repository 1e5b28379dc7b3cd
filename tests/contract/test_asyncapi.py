"""Tests of the AsyncAPI document and the types of events."""

import json
import re
from pathlib import Path

from domain.event_types import KINDS, TYPES
from handlers.asyncapi import asyncapi, asyncapi_json
from handlers.registry import ROOT

_WRITTEN = re.compile(r'(?:DomainEvent|EventBody|user_event|_event)\(\s*"([A-Z][A-Za-z]+)"')


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
