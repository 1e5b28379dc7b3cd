"""Fixtures of the contract tests."""

from pathlib import Path

import pytest
from filelock import FileLock

from local.database import CACHE
from tests.contract.node import installed


@pytest.fixture(scope="session")
def node() -> Path:
    """A folder with the npm packages that tests use."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(CACHE / "node.lock"):
        return installed()


@pytest.fixture
def work(tmp_path: Path, node: Path) -> Path:
    """A folder in which the npm packages are installed."""
    (tmp_path / "node_modules").symlink_to(node / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    return tmp_path
