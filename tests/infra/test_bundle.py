"""Tests of the zip that all functions run."""

import hashlib
import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from handlers.registry import ROOT, functions
from infra.bundling import LOCK, PLATFORMS, build, bundle

MAX_BYTES = 6_000_000


@pytest.fixture(scope="module")
def archive() -> Path:
    return bundle(ROOT / ".tradepost" / "cache")


def test_it_holds_the_functions_for_arm_and_no_boto3(archive: Path) -> None:
    names = set(zipfile.ZipFile(archive).namelist())
    for function in functions():
        assert f"{function.module.replace('.', '/')}.py" in names
    assert any("pydantic_core" in name and name.endswith("aarch64-linux-gnu.so") for name in names)
    assert not [name for name in names if name.startswith(("boto", "infra/", "tests/", "events/"))]
    assert "docs/openapi.json" in names


def test_it_is_small_and_compiled(archive: Path) -> None:
    assert archive.stat().st_size <= MAX_BYTES
    names = set(zipfile.ZipFile(archive).namelist())
    assert "pydantic/main.pyc" in names
    assert "handlers/http/__pycache__/route.cpython-313.pyc" in names


def test_the_same_input_gives_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    build(tmp_path / "again.zip", PLATFORMS["arm64"])
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (archive, tmp_path / "again.zip")}
    assert len(digests) == 1


def test_the_lock_is_hashed_and_in_step_with_the_project() -> None:
    lock = LOCK.read_text()
    assert "://" not in lock
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))
    assert lock.count("--hash=sha256:") >= len(pinned)
    for requirement in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]:
        name, _, version = requirement.partition("==")
        assert name == "boto3" or pinned[name] == version
    assert "boto3" not in pinned
