"""Tests of the layout: maximum lines per module and modules per package."""

from pathlib import Path

import pytest

from handlers.registry import ROOT

MAX_LINES = 300
MAX_MODULES = 12
TOP = ("benchmarks", "cli", "domain", "handlers", "infra", "local", "repositories", "tests")


def _modules(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.py") if path.name != "__init__.py"]


@pytest.mark.parametrize("top", TOP)
def test_no_module_is_too_long_and_no_package_too_full(top: str) -> None:
    folders = [ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())]
    long = [path for folder in folders for path in _modules(folder) if len(path.read_text().splitlines()) > MAX_LINES]
    full = [folder for folder in folders if len(_modules(folder)) > MAX_MODULES]
    assert (long, full) == ([], [])
