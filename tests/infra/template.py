"""Template helpers shared by the infra tests."""

from typing import Any

from infra.app import synthesize

type Template = dict[str, Any]


def synth(**context: str) -> Template:
    template: Template = synthesize(context).get_stack_by_name(f"Tradepost-{context.get('stage', 'dev')}").template
    return template


def resources(template: Template, kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}
