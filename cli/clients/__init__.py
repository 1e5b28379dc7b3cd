"""Typed clients of the API, generated from its OpenAPI document by pinned generators."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from handlers.registry import ROOT
from local.tools import NODE, isolated

DOCUMENT = ROOT / "docs" / "openapi.json"
_PYTHON_GENERATOR = "openapi-python-client==0.29.1"
TYPESCRIPT_GENERATOR = ("openapi-typescript@7.13.0", "typescript@5.9.3")
_TEMPLATE = Path(__file__).parent / "typescript"


def python(output: Path) -> None:
    """Write the Python package `tradepost_client`, on httpx, into `output`. Raises CalledProcessError."""
    command = [*isolated(_PYTHON_GENERATOR), "openapi-python-client", "generate", "--meta", "uv", "--overwrite"]
    _run([*command, "--path", str(DOCUMENT), "--output-path", str(output)])


def typescript(output: Path) -> None:
    """Write a TypeScript package, on openapi-fetch, into `output`. Raises CalledProcessError."""
    packages = [f"--package={each}" for each in TYPESCRIPT_GENERATOR]
    with TemporaryDirectory() as folder:
        types = Path(folder, "schema.d.ts")
        _run([*isolated(NODE), "npx", "--yes", *packages, "openapi-typescript", str(DOCUMENT), "-o", str(types)])
        shutil.copytree(_TEMPLATE, output, dirs_exist_ok=True)
        shutil.copy(types, output)


LANGUAGES: dict[str, Callable[[Path], None]] = {"python": python, "typescript": typescript}
"""Languages, and what generates the client of each."""


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
