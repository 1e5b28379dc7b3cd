"""Tests of the layout: maximum lines per module and modules per package."""

from pathlib import Path

import pytest

from handlers.registry import ROOT

MAX_LINES = 300
MAX_MODULES = 14
TOP = ("benchmarks", "cli", "domain", "handlers", "infra", "local", "repositories", "tests")


def _modules(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*.py") if path.name != "__init__.py"]


@pytest.mark.parametrize("top", TOP)
def test_no_module_is_too_long_and_no_package_too_full(top: str) -> None:
    folders = [ROOT / top, *(path for path in (ROOT / top).rglob("*") if path.is_dir())]
    sizes = {path: len(path.read_text().splitlines()) for folder in folders for path in _modules(folder)}
    long = [f"{path.relative_to(ROOT)} has {size} lines" for path, size in sizes.items() if size > MAX_LINES]
    counts = {folder: len(_modules(folder)) for folder in folders}
    full = [
        f"{folder.relative_to(ROOT)} has {count} modules" for folder, count in counts.items() if count > MAX_MODULES
    ]
    assert long == [], f"at most {MAX_LINES} lines: move a part to another module of the package"
    assert full == [], f"at most {MAX_MODULES} modules: move some to a package of their own"
