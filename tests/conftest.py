"""Databases and shops."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
from moto import mock_aws
from xdist.scheduler import LoadScopeScheduling

from cli.commands.running import running, token_key
from domain.common.environment import Environment, using
from handlers.registry import ROOT
from local import database as local
from local import dynoxide
from local.aws.files import files
from local.http.server import settings_for
from local.http.sigv4 import AccessKey
from local.invocation import invoke
from local.processes import free_port
from local.simulators.banks import Banks, addresses, serving
from local.user_pool import SERVICES, user_pool
from repositories.aws import clients, derived_secrets
from repositories.aws.settings import settings
from repositories.dynamodb.schema import create_table_request
from repositories.paging import cursors
from tests.people import Operator
from tests.shop import OPERATOR, Send, Shop, send_in_process, send_over_http, send_to

_ONE_WORKER = ("tests/contract/", "tests/infra/", "tests/runtime/")
"""Folders of tests with slow module fixtures: one worker runs all tests of a module."""


_SESSION = clients._session
signal.signal(signal.SIGINT, signal.default_int_handler)  # servers are stopped by it, also if a shell ignores it
hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Distribution of tests over the workers of pytest-xdist: one by one, or by module where fixtures are slow."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0] if nodeid.startswith(_ONE_WORKER) else nodeid


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return the number of workers: one more than processors, as tests of servers wait much of their time."""
    return (os.cpu_count() or 1) + 1


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return the scheduler of tests."""
    return _Scheduling(config, log)


def forget_clients() -> None:
    """Close the clients of AWS services, so that the next ones are made for the environment of that time."""
    for made in clients.ALL:
        if made.cache_info().currsize:
            made().close()
        made.cache_clear()
    _SESSION.cache_clear()  # it keeps the credentials that it found first, which may be moto's
    settings.cache_clear()
    cursors.keys_cache.clear()
    derived_secrets.key_cache.clear()


@pytest.fixture(scope="session")
def bank() -> Iterator[tuple[Banks, str]]:
    """Simulators of payment providers, and the address below which their APIs are."""
    banks = Banks(None)
    with serving(banks) as address:
        yield banks, address
    banks.close()


@pytest.fixture(scope="session")
def database(bank: tuple[Banks, str]) -> Iterator[str]:
    """Dynoxide in memory, with the table; every test uses tenants of its own in it."""
    with local.database(None) as endpoint, user_pool(), files(None):
        settings_for(None)
        os.environ |= addresses(bank[1])
        forget_clients()
        yield endpoint
        forget_clients()


@pytest.fixture
def shop(database: str) -> Shop:
    """A new tenant on Dynoxide, called in this process."""
    return Shop(send_in_process)


@pytest.fixture(scope="session")
def send_elsewhere(database: str) -> Iterator[Send]:
    """A way to send requests to functions in another process, on the same database."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield send_to(lambda name, event: pool.submit(invoke, name, event).result())


@pytest.fixture
def rival(shop: Shop, send_elsewhere: Send) -> Shop:
    """The same caller as `shop`, in another process."""
    return replace(shop, send=send_elsewhere)


@pytest.fixture
def operator(database: str) -> Operator:
    """Who may make tenants."""
    return Operator(send_in_process, OPERATOR)


class OneByOne(Environment):
    """A machine that does nothing in parallel: moto loses what two threads write at once."""

    def in_parallel[A, R](self, call: Callable[[A], R], arguments: Iterable[A]) -> list[R]:
        return [call(argument) for argument in arguments]


@pytest.fixture
def moto_shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A new tenant on moto, in this process."""
    for name, value in local.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CURSOR_KEYS", "moto")
    for service in ("DYNAMODB", "S3", *SERVICES):
        monkeypatch.delenv(f"AWS_ENDPOINT_URL_{service}", raising=False)
    forget_clients()
    with using(OneByOne()), mocked_aws():
        if local.TABLE_NAME not in clients.dynamodb().list_tables()["TableNames"]:
            clients.dynamodb().create_table(**create_table_request(local.TABLE_NAME))
        yield Shop(send_in_process)
    forget_clients()


@contextmanager
def mocked_aws() -> Iterator[None]:
    """moto in process, without its usual reset: the local user pool is moto's too, and must stay."""
    mock = mock_aws()
    mock.start(reset=False)
    try:
        yield
    finally:
        mock.stop(remove_data=False)


class Server:
    """A running `tradepost serve`."""

    def __init__(self, data: Path, *options: str) -> None:
        if dynoxide.package():
            dynoxide.binary(local.CACHE)  # before the clock for the server's start begins
        self.port = free_port()
        self.data = data
        command = [sys.executable, "-m", "cli.main", "serve", "--port", str(self.port), "--data", str(data)]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        self._client = httpx.Client(base_url=self.url, timeout=120, limits=httpx.Limits(max_connections=64))
        self._log = (data / "server.log").open("w")
        self.process = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=environment, stdout=self._log, stderr=self._log
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    @property
    def log(self) -> str:
        return (self.data / "server.log").read_text()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def shop(self, tenant: str | None = None) -> Shop:
        shop = Shop(send_over_http(self._client), token_key(self.data))
        shop.tenant = tenant or shop.tenant
        return shop

    @property
    def operator(self) -> Operator:
        key = AccessKey(**running(self.data)["access_key"])
        return Operator(send_over_http(self._client), key, f"127.0.0.1:{self.port}")

    def stop(self) -> int:
        """Press Ctrl-C and wait."""
        if self.process.poll() is None:
            self.process.send_signal(2)
        code = self.process.wait(120)
        self._log.close()
        self._client.close()
        return code

    def _wait(self) -> None:
        deadline = time.monotonic() + 300
        while not re.search(r"^Tradepost listening on", self.log, re.MULTILINE):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The local server, as developers run it, on a database in memory."""
    server = Server(tmp_path_factory.mktemp("server"), "--memory")
    yield server
    server.stop()


@pytest.fixture
def served(server: Server) -> Shop:
    """A new tenant of the running server."""
    return server.shop()
