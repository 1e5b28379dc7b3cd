"""Runs commands as developers do."""

import subprocess
import sys

from handlers.registry import ROOT


def tradepost(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cli.main", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
