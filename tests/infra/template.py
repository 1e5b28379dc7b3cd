"""Template helpers shared by the infra tests."""

from typing import Any

from infra.templates import Template as Template
from infra.templates import synthesize


def synth(**context: str) -> Template:
    """Return the template of the app without monitoring, with the resources of nested stacks."""
    return synthesize(context).whole


def resources(template: Template, kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
