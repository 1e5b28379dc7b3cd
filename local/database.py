"""Local database: Dynoxide on a file or in memory, or moto in memory on machines without a build of Dynoxide."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from handlers.registry import ROOT
from local import dynoxide
from repositories.dynamodb.schema import STREAM, create_table_request

TABLE_NAME = "tradepost"
CACHE = ROOT / ".tradepost" / "cache"

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_SESSION_TOKEN": "",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "TABLE_NAME": TABLE_NAME,
}
"""Environment variables of functions that run locally. Never add real credentials: nothing local may reach AWS."""


@contextmanager
def database(folder: Path | None, *, stream: bool = False) -> Iterator[str]:
    """Run a database with the table in `folder` (None: in memory) and yield its endpoint.

    With `stream`, the table has one. Dynoxide's writes take the longer the more records it has.

    Within the context, the environment variables of this process and its child processes point to it.
    """
    with _engine(folder) as endpoint, restored_environment():
        os.environ.update(ENVIRONMENT)
        os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = endpoint
        os.environ.pop("AWS_PROFILE", None)
        create_table(endpoint, stream=stream)
        yield endpoint


@contextmanager
def restored_environment() -> Iterator[None]:
    """Restore the environment variables of this process at the end of the context."""
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def create_table(endpoint: str, name: str = TABLE_NAME, *, stream: bool = False) -> None:
    """Create the table unless it exists, and its stream if that is wanted and does not exist."""
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    if name not in client.list_tables()["TableNames"]:
        client.create_table(**create_table_request(name))
    if stream and "LatestStreamArn" not in client.describe_table(TableName=name)["Table"]:
        client.update_table(TableName=name, StreamSpecification=STREAM)


@contextmanager
def _engine(folder: Path | None) -> Iterator[str]:
    if dynoxide.package() is None:
        with _moto() as endpoint:
            yield endpoint
        return
    program = dynoxide.binary(CACHE)
    data = folder and folder / "tradepost.db"
    with dynoxide.running(program, data, log=folder and folder / "database.log") as endpoint:
        yield endpoint


@contextmanager
def _moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    print("Dynoxide has no build for this machine: data is in memory and gone at the end.", file=sys.stderr)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
