"""CloudFormation templates of the app, as tests and rehearsals read them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.cx_api import CloudAssembly

from handlers.registry import ROOT
from infra.app import tradepost_app

type Template = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Synthesized:
    """Synthesized app: its assembly, and the templates of its stacks."""

    assembly: CloudAssembly
    root: Template
    nested: dict[str, Template]
    """Templates of nested stacks by logical id in `root`."""
    monitoring: Template | None

    @property
    def stacks(self) -> list[Template]:
        """Templates of all stacks."""
        return [self.root, *self.nested.values(), *([self.monitoring] if self.monitoring else [])]

    @property
    def whole(self) -> Template:
        """The root template with the resources of nested stacks, and values in place of parameters and outputs."""
        resources = dict(self.root["Resources"])
        outputs = {
            (logical_id, f"Outputs.{name}"): output["Value"]
            for logical_id, template in self.nested.items()
            for name, output in template.get("Outputs", {}).items()
        }
        for logical_id, template in self.nested.items():
            parameters = resources.pop(logical_id)["Properties"].get("Parameters", {})
            resources |= _replaced(template["Resources"], _with_outputs(parameters, outputs))
        whole: Template = _with_outputs(self.root | {"Resources": resources}, outputs)
        return whole


def synthesize(choices: Mapping[str, Any], outdir: str | None = None) -> Synthesized:
    """Return the app synthesized as by the CDK CLI; `choices` add to or replace the context of `cdk.json`."""
    known = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context=known | dict(choices), outdir=outdir)
    stack = tradepost_app(app)
    assembly = app.synth()
    nested = {
        str(stack.resolve(part.nested_stack_resource.logical_id)): _read(Path(assembly.directory, part.template_file))
        for part in stack.parts
        if part.nested_stack_resource
    }
    monitoring = [each.template for each in assembly.stacks if each.stack_name.endswith("-Monitoring")]
    root: Template = assembly.get_stack_by_name(stack.stack_name).template
    return Synthesized(assembly, root, nested, monitoring[0] if monitoring else None)


def _read(file: Path) -> Template:
    template: Template = json.loads(file.read_text())
    return template


def _with_outputs(value: Any, outputs: Mapping[tuple[str, str], Any]) -> Any:
    """Return a part of a template with the values of nested stacks' outputs instead of references to them."""
    match value:
        case {"Fn::GetAtt": [str(logical_id), str(name)]} if (logical_id, name) in outputs:
            return outputs[logical_id, name]
        case dict():
            return {key: _with_outputs(each, outputs) for key, each in value.items()}
        case list():
            return [_with_outputs(each, outputs) for each in value]
    return value


def _replaced(value: Any, parameters: Mapping[str, Any]) -> Any:
    match value:
        case {"Ref": str(name)} if name in parameters:
            return parameters[name]
        case dict():
            return {key: _replaced(each, parameters) for key, each in value.items()}
        case list():
            return [_replaced(each, parameters) for each in value]
    return value
