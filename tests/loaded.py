"""Modules that the import of each function loads: `uv run python -m tests.loaded` rewrites the committed counts.

Imports take most of a cold start, but their time varies between measurements; the imported modules do not.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from handlers.registry import ROOT, functions, triggers
from local.database import ENVIRONMENT

COUNTS = Path(__file__).parent / "unit" / "loaded.json"
OWN = ("domain", "handlers", "repositories")
NEVER = {
    "aws_cdk",
    "aws_xray_sdk",  # only with tracing
    "boto3",
    "cryptography",
    "email_validator",  # only to validate an address
    "infra",
    "iso4217",
    "jinja2",
    "moto",
    "requests",
    "rich",
    "typer",
}
"""Packages that no function may load at its start."""

_SCRIPT = """
import importlib, json, os, sys
for module in sys.argv[1:]:
    if module == "handlers.http.route":  # What all routes load; those that follow are spared it.
        importlib.import_module(module)
        from repositories.aws.clients import dynamodb
        dynamodb()
        continue
    child = os.fork()
    if child == 0:
        importlib.import_module(module)
        from repositories.aws.clients import dynamodb
        dynamodb()
        print(json.dumps([module, sorted(set(sys.modules) - set(sys.stdlib_module_names))]), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, module
"""


def loaded() -> dict[str, list[str]]:
    """Return, by function, the modules loaded by its import and its DynamoDB client, without the standard library."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | ENVIRONMENT
    by_triggers = {each.module: each.name for each in triggers()}
    by_routes = {each.module: each.name for each in functions()}
    names = by_triggers | by_routes
    modules = [*by_triggers, "handlers.http.route", *by_routes]
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *modules], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {
        names[module]: [each for each in modules if each.partition(".")[0] not in sys.stdlib_module_names]
        for module, modules in map(json.loads, done.stdout.splitlines())
    }


def counts(modules: dict[str, list[str]]) -> dict[str, dict[str, int]]:
    """Return, by function, the number of the project's own modules and of others."""
    own = {name: sum(each.partition(".")[0] in OWN for each in found) for name, found in modules.items()}
    return {name: {"own": own[name], "others": len(found) - own[name]} for name, found in sorted(modules.items())}


if __name__ == "__main__":
    COUNTS.write_text(json.dumps(counts(loaded()), indent=2) + "\n")
    print(COUNTS)
