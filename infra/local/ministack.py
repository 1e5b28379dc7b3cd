"""MiniStack, a local AWS, in an environment of its own: the CDK CLI deploys into it, and roles are enforced.

It ends with this process, and listens on the loopback interface only.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.local.dynoxide import free_port
from infra.tools import isolated

PACKAGE = "ministack==1.5.33"
ACCOUNT, REGION = "000000000000", "us-east-1"
_START_SECONDS = 60
_STOP_SECONDS = 10


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """Run a fresh local AWS with its files in `folder` and yield its endpoint. Raises LookupError if it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = {
        "AUTH": "true",
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "TMPDIR": str(folder),
    }
    print(f"Starting a local AWS ({PACKAGE}) …", file=sys.stderr)
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [*isolated(PACKAGE, "cryptography", "boto3"), "ministack"],
            env=_without_aws() | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_for(f"{endpoint}/_ministack/health", process, folder / "ministack.log")
            yield endpoint
        finally:
            _stop(process)


def environment_for(endpoint: str) -> dict[str, str]:
    """Return an environment in which AWS is the one at `endpoint`, and no real account can be reached."""
    return _without_aws() | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _without_aws() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_") or name == "AWS_CA_BUNDLE"}


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(url, timeout=2)  # noqa: S310
            return
        time.sleep(0.1)
    raise LookupError(f"The local AWS did not start; its log: {log.read_text()[-2000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
