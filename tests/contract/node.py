"""Commands of Node and of the npm packages that tests use."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.database import CACHE

HERE = Path(__file__).parent
LOCK = HERE / "npm" / "package-lock.json"


def installed() -> Path:
    """Return a folder with the npm packages of the lock file. It is kept for the next run."""
    folder = CACHE / f"node-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(LOCK.parent, folder)
        run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        (folder / "ready").touch()
    return folder


def run(folder: Path, *command: str, **environment: str) -> str:
    """Run a command, found next to this interpreter first; return its output."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path} | environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
    return done.stdout
