"""Dynoxide, an embedded DynamoDB: an npm package with one binary, downloaded once and run as a child process."""

import ctypes
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock

from local.processes import Process, serving
from local.tools import npm

VERSION = "1.2.1"
_PACKAGES = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Darwin", "x86_64"): "darwin-x64",
    ("Darwin", "arm64"): "darwin-arm64",
    ("Windows", "AMD64"): "win32-x64",
}


def package() -> str | None:
    """Return the npm package with the build for this machine, or None if there is none."""
    build = _PACKAGES.get((platform.system(), platform.machine()))
    return build and f"@dynoxide/{build}"


def binary(cache: Path) -> Path:
    """Return the path of the binary, downloaded to `cache` if necessary. Raises LookupError."""
    name = package()
    if name is None:
        raise LookupError("Dynoxide has no build for this machine")
    folder = cache / f"dynoxide-{VERSION}"
    program = folder / "node_modules" / name / ("dynoxide.exe" if "win32" in name else "dynoxide")
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "dynoxide.lock"):
        if not program.exists():
            _fetch(name, folder)
    return program


def _fetch(name: str, folder: Path) -> None:
    print(f"Fetching the embedded database: npm package {name} {VERSION} …", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
        command = [*npm(), "install", "--silent", "--ignore-scripts", "--fetch-retries=1", "--prefix", fresh]
        done = subprocess.run([*command, f"{name}@{VERSION}"], check=False)  # noqa: S603
        if done.returncode:
            raise LookupError(f"npm could not fetch {name}: is its registry in reach? Try `{' '.join(command)} {name}`")
        shutil.rmtree(folder, ignore_errors=True)
        Path(fresh, "node_modules").rename(_made(folder) / "node_modules")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@contextmanager
def running(program: Path, data: Path | None, log: Path | None = None) -> Iterator[str]:
    """Run the database on the file `data` (None: in memory), yield its endpoint and stop it at the end.

    It listens on the loopback interface only. On Linux, it also stops when this process dies.
    """
    command = [str(program), "--host", "127.0.0.1"]
    if data is not None:
        command += ["--db-path", str(data)]
    with ExitStack() as resources:
        output = resources.enter_context(log.open("ab")) if log else subprocess.DEVNULL

        def start(port: int) -> Process:
            return subprocess.Popen(  # noqa: S603
                [*command, "--port", str(port)],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )

        yield f"http://127.0.0.1:{resources.enter_context(serving(start, log=log))}"


def _die_with_parent() -> None:
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
