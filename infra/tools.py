"""The tools that this environment was made with, for starting others."""

import os
import shutil
import sys


def uv() -> str:
    """Return uv's path: the one that runs this, if it does, else the one on the path."""
    return os.environ.get("UV") or shutil.which("uv") or "uv"


def isolated(*packages: str) -> list[str]:
    """Return the beginning of a command that runs a tool from PyPI in an environment of its own, on our interpreter.

    The first package is the one that has the tool.
    """
    first, *others = packages
    interpreter = getattr(sys, "_base_executable", sys.executable)
    beside = [option for package in others for option in ("--with", package)]
    return [uv(), "tool", "run", "--quiet", "--python", interpreter, "--from", first, *beside]
