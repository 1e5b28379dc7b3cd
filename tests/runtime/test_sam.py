"""Tests that aws-sam-cli finds every function, its code and its event in the synthesized template."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from handlers.registry import ROOT, all_functions
from infra.rehearsal.lambda_emulator import SAM_CLI
from infra.templates import synthesize
from local.tools import isolated

AS_THE_CLI_DOES = {"aws:cdk:enable-asset-metadata": True, "aws:cdk:enable-path-metadata": True}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assembly = synthesize(AS_THE_CLI_DOES, str(tmp_path_factory.mktemp("out"))).assembly
    return Path(assembly.get_stack_by_name("Tradepost-dev").template_full_path)


def _invoke(template: Path, name: str, event: Path) -> str:
    sam = [*isolated(SAM_CLI), "sam", "local", "invoke", name]
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
