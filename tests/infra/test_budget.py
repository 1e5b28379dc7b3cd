"""Tests of the size of each stack, in every variant, with the routes of today and with many more."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from handlers.registry import RouteFunction, functions
from infra.templates import Synthesized, synthesize
from tests.infra.template import resources

MAX_RESOURCES = 300
MAX_BYTES = 600_000
MAX_WIDGETS = 300
MAX_ALARMS = 40
ROUTES = 160
"""Half as many again as there are."""
VARIANTS: dict[str, dict[str, str]] = {
    "dev": {},
    "dev, all on": {
        **dict.fromkeys(("tracing", "tenant_roles", "api_keys", "snapstart", "gradual", "monitoring"), "on"),
        "cors": "https://shop.example,https://admin.example",
    },
    "prod": {"stage": "prod"},
    "prod with cors": {"stage": "prod", "cors": "https://shop.example"},
    "prod, all on": {
        "stage": "prod",
        "cors": "https://shop.example,https://admin.example",
        "api_keys": "on",
        "snapstart": "on",
        "ses_from": "shop@example.com",
        "alarm_email": "ops@example.com",
        "lake": "on",
    },
}
LINTED = ("dev, all on", "prod, all on")
"""Variants that have all that is in the others."""


def cloned(count: int) -> tuple[RouteFunction, ...]:
    """Return that many functions: those that there are, and copies of them at other paths."""
    found: list[RouteFunction] = []
    for number in range(-(-count // len(functions()))):
        for each in functions():
            route = copy.copy(each.route)
            suffix = f"copy{number}"
            route.declaration = replace(each.declaration, path=f"{each.declaration.path}/{suffix}")
            found.append(RouteFunction(each.resource, f"{each.operation_name}_{suffix}", route) if number else each)
    return tuple(sorted(found[:count], key=lambda each: each.resource))


def _within(app: Synthesized) -> None:
    for template in app.stacks:
        assert len(template["Resources"]) <= MAX_RESOURCES
        assert len(json.dumps(template, separators=(",", ":"))) <= MAX_BYTES
    if app.monitoring:
        assert len(resources(app.monitoring, "AWS::CloudWatch::Alarm")) <= MAX_ALARMS
        [dashboard] = resources(app.monitoring, "AWS::CloudWatch::Dashboard").values()
        assert json.dumps(dashboard).count('\\"properties\\"') <= MAX_WIDGETS


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_stack_is_small_and_without_findings(variant: str) -> None:
    app = synthesize(VARIANTS[variant])
    _within(app)
    if variant not in LINTED:
        return
    for template in app.stacks:
        found = lint(json.dumps(template), config=ManualArgs(regions=["eu-west-1"]))
        assert [f"{each.rule.id} {each.message}" for each in found] == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_stack_has_room_for_many_more_routes(variant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    many = cloned(ROUTES)
    assert len(many) == ROUTES > 1.5 * len(functions())
    monkeypatch.setattr("infra.stack.functions", lambda: many)
    app = synthesize(VARIANTS[variant])
    deployed: dict[str, Any] = resources(app.whole, "AWS::Lambda::Function")
    assert {each.name for each in many} <= set(deployed)
    _within(app)


def test_role_policies_fit_into_what_iam_takes() -> None:
    """A role's inline policies have 10,240 characters at most (IAM and AWS STS quotas)."""
    for role in resources(synthesize({"stage": "prod"}).whole, "AWS::IAM::Role").values():
        assert len(json.dumps(role.get("Policies", []))) < 10_000
