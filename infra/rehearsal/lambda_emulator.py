"""AWS's Lambda runtime client and runtime interface emulator, running functions of the built zip without Docker.

The emulator is part of aws-sam-cli, the client is awslambdaric; both are downloaded once.
"""

import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from handlers.invocations.trigger import USUAL
from infra.bundling import bundles
from local.processes import Process, free_port, serving
from local.tools import uv

SAM_CLI = "aws-sam-cli==1.170.0"
RUNTIME = ("awslambdaric==4.2.2", "boto3==1.44.5")
"""Packages that Lambda's runtime provides in addition to the zip."""
_MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
_CALL_SECONDS = 300
_INIT = re.compile(r"INIT REPORT\(durationMs: ([0-9.]+)\)")


@dataclass(frozen=True, slots=True)
class Invocation:
    """Result of one call: the response, the function's JSON log lines, and the duration of its init phase."""

    response: Any
    lines: list[dict[str, Any]]
    init_ms: float


@dataclass(frozen=True, slots=True)
class Emulator:
    """Emulator, runtime packages, and the zip and the content of all, for this machine's architecture."""

    program: Path
    runtime: Path
    archive: Path
    contents: Mapping[str, Path]
    """Of the zips by group of packages."""

    def call(self, module: str, event: Any, environment: Mapping[str, str], group: str = "") -> Invocation:
        """Start a function of the zip with a group of packages with an environment, call it once, and stop it."""
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "function.log")
            with self._running(module, environment, log, group) as port:
                request = urllib.request.Request(
                    f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations", json.dumps(event).encode()
                )
                with urllib.request.urlopen(request, timeout=_CALL_SECONDS) as answered:  # noqa: S310
                    response = json.loads(answered.read() or b"null")
            output = log.read_text()
        found = _INIT.search(output)
        return Invocation(response, list(_json_lines(output)), float(found[1]) if found else 0.0)

    @contextmanager
    def _running(self, module: str, environment: Mapping[str, str], log: Path, group: str) -> Iterator[int]:
        handler = f"{module}.handler"
        with log.open("wb") as output:

            def start(port: int) -> Process:
                addresses = ("--runtime-interface-emulator-address", f"127.0.0.1:{port}")
                own = ("--runtime-api-address", f"127.0.0.1:{free_port()}")
                return subprocess.Popen(  # noqa: S603
                    [str(self.program), *addresses, *own, sys.executable, "-m", "awslambdaric", handler],
                    cwd=self.contents[group],
                    env=_lambda_environment(handler) | {"PYTHONPATH": str(self.runtime)} | dict(environment),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

            with serving(start, _answers, log) as port:
                yield port


def emulator(cache: Path) -> Emulator:
    """Return the emulator; download and build what is missing. Raises LookupError on unsupported machines."""
    machine = _MACHINES.get(platform.machine())
    if machine is None or sys.platform != "linux":
        raise LookupError("The emulator has no build for this machine: it runs on Linux, x86_64 and aarch64")
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "emulator.lock"):
        sam = _fetched(cache, "sam", [SAM_CLI])
        runtime = _fetched(cache, "runtime", list(RUNTIME))
        archives = bundles(cache, machine)
        contents = {group: _unzipped(archive) for group, archive in archives.items()}
    program = sam / "samcli" / "local" / "rapid" / f"aws-lambda-rie-{machine}"
    program.chmod(0o755)
    return Emulator(program, runtime, archives[""], contents)


def _fetched(cache: Path, name: str, packages: list[str]) -> Path:
    """Return a folder with packages from PyPI; aws-sam-cli without its dependencies, as only one file of it is used."""
    folder = cache / f"{name}-{packages[0].replace('==', '-')}"
    if not folder.exists():
        print(f"Fetching {', '.join(packages)} …", file=sys.stderr)
        options = ["--no-deps"] if packages == [SAM_CLI] else ["--only-binary", ":all:"]
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            target = Path(fresh, "packages")
            command = [uv(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(target)]
            subprocess.run([*command, *options, *packages], check=True)  # noqa: S603
            target.rename(folder)
    return folder


def _unzipped(archive: Path) -> Path:
    folder = archive.with_suffix("")
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=archive.parent) as fresh, zipfile.ZipFile(archive) as content:
            content.extractall(Path(fresh, "content"))
            Path(fresh, "content").rename(folder)
    return folder


def _lambda_environment(handler: str) -> dict[str, str]:
    """Return the variables that Lambda sets (Lambda developer guide, "Defined runtime environment variables")."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "_HANDLER": handler,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_LAMBDA_FUNCTION_NAME": handler.split(".")[-2],
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(USUAL.memory_mb),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(USUAL.seconds),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "TZ": ":UTC",
    }


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _json_lines(output: str) -> Iterator[dict[str, Any]]:
    for line in output.splitlines():
        if line.startswith("{"):
            yield json.loads(line)
