"""Guards against breaking changes of the API and against replacement of stateful resources."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from handlers.openapi import document
from handlers.registry import ROOT
from tests.infra.template import Template, resources, synth

RELEASED = ROOT / "docs" / "openapi.released.json"
STATEFUL = ROOT / "tests" / "infra" / "stateful.json"
KINDS = (
    "AWS::DynamoDB::GlobalTable",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::SecretsManager::Secret",
)

type Json = dict[str, Any]


def breaks(before: Json, after: Json) -> list[str]:
    """Return the changes in `after` that break clients of `before`: removed parts and new requirements."""
    return [
        broken
        for path, operations in before["paths"].items()
        for method, operation in operations.items()
        for broken in _operation(f"{method.upper()} {path}", operation, after["paths"].get(path, {}).get(method), after)
    ]


def _operation(name: str, before: Json, after: Json | None, whole: Json) -> Iterator[str]:
    if after is None:
        yield f"{name} is gone"
        return
    known = {(each["in"], each["name"]) for each in before.get("parameters", [])}
    for parameter in after.get("parameters", []):
        if parameter.get("required") and (parameter["in"], parameter["name"]) not in known:
            yield f"{name} asks for {parameter['name']}"
    sent = _fields(after.get("requestBody", {}), whole)
    required = set(sent.get("required", []))
    old = _fields(before.get("requestBody", {}), _released())
    for field in required - set(old.get("required", [])):
        yield f"{name} asks for {field} in its body"
    for field in set(old.get("properties", {})) - set(sent.get("properties", {})):
        yield f"{name} does not take {field} any more"
    yield from _responses(name, before["responses"], after["responses"], whole)


def _responses(name: str, before: Json, after: Json, whole: Json) -> Iterator[str]:
    for status, response in before.items():
        if status not in after:
            yield f"{name} does not answer {status} any more"
            continue
        shown = set(_fields(after[status], whole).get("properties", {}))
        for field in set(_fields(response, _released()).get("properties", {})) - shown:
            yield f"{name} {status} does not show {field} any more"


def _fields(body: Json, whole: Json) -> Json:
    for content in _resolved(body, whole).get("content", {}).values():
        return _resolved(content.get("schema", {}), whole)
    return {}


def _resolved(schema: Json, whole: Json) -> Json:
    found = schema
    if "$ref" in schema:
        found = whole
        for name in schema["$ref"].removeprefix("#/").split("/"):
            found = found[name]
    return found


def _released() -> Json:
    released: Json = json.loads(RELEASED.read_text())
    return released


def test_nothing_that_was_released_breaks() -> None:
    assert breaks(_released(), document()) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["paths"].pop("/v1/orders"), "GET /v1/orders is gone"),
        (lambda d: d["paths"]["/v1/items"]["post"]["responses"].pop("201"), "does not answer 201"),
        (lambda d: d["components"]["schemas"]["Order"]["properties"].pop("total"), "does not show total"),
        (lambda d: d["components"]["schemas"]["NewOrder"]["properties"].pop("note"), "does not take note"),
        (lambda d: d["components"]["schemas"]["NewOrder"]["required"].append("note"), "asks for note in its body"),
        (
            lambda d: d["paths"]["/v1/items"]["get"]["parameters"].append(
                {"in": "query", "name": "shop", "required": True}
            ),
            "asks for shop",
        ),
    ],
)
def test_a_breaking_change_is_named(change: Any, told: str) -> None:
    changed = json.loads(json.dumps(document()))
    change(changed)
    assert any(told in each for each in breaks(_released(), changed))


def _stateful(template: Template) -> Json:
    return {kind: resources(template, kind) for kind in KINDS} | {
        "policies": {
            name: [each.get("DeletionPolicy"), each.get("UpdateReplacePolicy")]
            for name, each in template["Resources"].items()
            if each["Type"] in KINDS
        }
    }


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_what_keeps_data_is_as_it_was(stage: str) -> None:
    """A change may replace the table or the user pool and lose its data. If it cannot, rewrite the snapshot."""
    snapshot = json.loads(STATEFUL.read_text())
    assert _stateful(synth(stage=stage)) == snapshot[stage]


def write_snapshot() -> None:
    """Rewrite the snapshot: `uv run python -c "from tests.infra.test_drift import write_snapshot as w; w()"`."""
    snapshot = {stage: _stateful(synth(stage=stage)) for stage in ("dev", "prod")}
    STATEFUL.write_text(json.dumps(snapshot, indent=2, sort_keys=True) + "\n")
