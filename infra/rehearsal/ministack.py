"""MiniStack, a local AWS that enforces IAM roles, in an isolated Python environment; the CDK CLI deploys into it.

It ends with this process and listens on the loopback interface only.
"""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from local.processes import Process, serving
from local.tools import isolated

PACKAGE = "ministack==1.5.33"
ACCOUNT, REGION = "000000000000", "us-east-1"


@contextmanager
def ministack(folder: Path) -> Iterator[str]:
    """Run a fresh local AWS with its files in `folder` and yield its endpoint. Raises LookupError if it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "ministack.log"
    print(f"Starting a local AWS ({PACKAGE}) …", file=sys.stderr)
    with log.open("wb") as output:

        def start(port: int) -> Process:
            settings = {
                "AUTH": "true",
                "GATEWAY_PORT": str(port),
                "BIND_HOST": "127.0.0.1",
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
                "TMPDIR": str(folder),
            }
            return subprocess.Popen(  # noqa: S603
                [*isolated(PACKAGE, "cryptography", "boto3"), "ministack"],
                env=_without_aws() | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

        with serving(start, _healthy, log) as port:
            yield f"http://127.0.0.1:{port}"


def environment_for(endpoint: str) -> dict[str, str]:
    """Return an environment in which AWS is the one at `endpoint` and real accounts cannot be reached."""
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


def _healthy(port: int) -> bool:
    with suppress(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=10)
        return True
    return False
