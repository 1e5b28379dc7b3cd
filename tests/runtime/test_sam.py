"""aws-sam-cli, given the synthesized template, finds every function, its code and its event."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import App

from infra.app import tradepost_app
from infra.functions import ROOT, all_functions
from infra.local.emulator import SAM_CLI

AS_THE_CLI_DOES = {"aws:cdk:enable-asset-metadata": True, "aws:cdk:enable-path-metadata": True}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    context = json.loads((ROOT / "cdk.json").read_text())["context"] | AS_THE_CLI_DOES
    app = App(context=context, outdir=str(tmp_path_factory.mktemp("out")))
    stack = tradepost_app(app)
    return Path(app.synth().get_stack_artifact(stack.artifact_id).template_full_path)


def _invoke(template: Path, name: str, event: Path) -> str:
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    interpreter = getattr(sys, "_base_executable", sys.executable)
    sam = [uv, "tool", "run", "--quiet", "--python", interpreter, "--from", SAM_CLI, "sam", "local", "invoke", name]
    options = ("-t", str(template), "-e", str(event), "--env-vars", str(ROOT / "events" / "env.json"), "--debug")
    environment = os.environ | {"SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run([*sam, *options], env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    return done.stderr


def test_sam_finds_every_function_and_its_code_and_gets_as_far_as_docker(template: Path) -> None:
    create = next(each for each in all_functions() if each.name == "CreateItem")
    told = _invoke(template, create.name, create.event)
    found = dict(re.findall(r"Found Lambda function with name='(\w+)' and CodeUri='([^']+)'", told))
    assert set(found) == {function.name for function in all_functions()}
    assert all((template.parent / code).exists() for code in found.values())
    if shutil.which("docker") is None:
        assert "requires a container runtime" in told
