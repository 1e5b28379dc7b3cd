"""Local HTTP server for functions that run as in Lambda: each process handles one call at a time."""

import asyncio
import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Protocol

import uvicorn
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from handlers.http.problems import CONTENT_TYPE
from handlers.invocations.trigger import Queue
from handlers.registry import functions, triggers
from local import dynoxide
from local.addresses import allow_test_domains
from local.aws.queues import readers
from local.aws.scheduler import Clock
from local.aws.stream import Stream
from local.cognito.service import KEYS_PATH, UserPoolService
from local.http.gateway import MAX_BODY_BYTES, Gateway, Reply, Request
from local.http.log_lines import ReadableLog, request_line
from local.http.sigv4 import AccessKey
from local.http.start_page import START_PAGE
from local.invocation import invoke
from local.simulators.banks import PATH, Banks

PROCESSES = 4
"""Maximum number of concurrent calls, like concurrent execution environments in Lambda."""


_WAITING = {each.name for each in triggers() if each.trigger.queue is Queue.DELIVERIES}
"""Functions that wait for others most of their time: in threads, so that they take no process from clients."""
_WAITING_CALLS = 8
COGNITO_PATH = "/cognito-idp"


class Server:
    """ASGI application that runs functions in a pool of processes."""

    def __init__(
        self, key: RSAPrivateKey, operator: AccessKey, user_pool: UserPoolService, banks: Banks, *, readable: bool
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(PROCESSES, context, initializer=_warm_up, initargs=(readable,))
        self._waiting = ThreadPoolExecutor(_WAITING_CALLS, thread_name_prefix="waiting")
        self._readable = readable
        self._gateway = Gateway(key, operator, self.invoke)
        self._user_pool, self._banks = user_pool, banks
        wait(_started(self._pool))

    def close(self) -> None:
        """Wait for running calls, cancel queued ones and stop the processes."""
        self._waiting.shutdown(wait=False, cancel_futures=True)
        self._pool.shutdown(cancel_futures=True)

    async def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Return the result of a function for an event."""
        pool = self._waiting if name in _WAITING else self._pool
        return await asyncio.get_running_loop().run_in_executor(pool, invoke, name, event)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Handle one request (https://asgi.readthedocs.io/en/latest/specs/www.html)."""
        body = await _body(receive)
        client = scope.get("client") or ("127.0.0.1", 0)
        request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
            body=body,
            source_ip=client[0],
        )
        started = time.perf_counter()
        reply = await self._handle(request)
        if self._readable:
            _print_line(request, reply, time.perf_counter() - started)
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _handle(self, request: Request) -> Reply:
        if request.path == COGNITO_PATH or request.path.startswith(f"{COGNITO_PATH}/"):
            return await self._sign_in(request)
        if request.path == "/" and request.method in {"GET", "HEAD"}:
            return Reply(200, [("Content-Type", "text/html; charset=utf-8")], START_PAGE.encode())
        if request.path == PATH or request.path.startswith(f"{PATH}/"):
            return await asyncio.to_thread(self._at_bank, request)
        return await self._gateway.handle(request)

    def _at_bank(self, request: Request) -> Reply:
        """Return the response of a simulated payment provider."""
        headers = {name.lower(): value for name, value in request.headers}
        answer = self._banks.handle(request.method, request.path, request.query, headers, request.body)
        return Reply(answer.status, [*answer.headers.items()], answer.body)

    async def _sign_in(self, request: Request) -> Reply:
        """Return the user pool's response. It runs in a thread, as the pool waits for functions that it triggers."""
        headers = [("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Headers", "*")]
        if request.method == "OPTIONS":
            return Reply(204, headers, b"")
        if request.path == COGNITO_PATH + KEYS_PATH:
            answer = self._user_pool.keys()
        else:
            target = request.header("x-amz-target") or ""
            answer = await asyncio.to_thread(self._user_pool.handle, target, request.body)
        return Reply(answer.status, [*headers, ("Content-Type", answer.content_type)], answer.body)


async def _body(receive: Any) -> bytes:
    """Return the request body. Reading stops once it is larger than `MAX_BODY_BYTES`."""
    chunks: list[bytes] = []
    more, size = True, 0
    while more and size <= MAX_BODY_BYTES:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
    return b"".join(chunks)


def _print_line(request: Request, reply: Reply, seconds: float) -> None:
    is_problem = ("Content-Type", CONTENT_TYPE) in reply.headers
    code = json.loads(reply.body)["code"] if is_problem else request.header("x-amz-target") or ""
    target = request.path + (f"?{request.query}" if request.query else "")
    print(request_line(request.method, target, reply.status, code.rpartition(".")[2], seconds * 1000), flush=True)


def _started(pool: ProcessPoolExecutor) -> list[Future[None]]:
    """Start all processes of the pool. They inherit that Ctrl-C is ignored, so that it ends none while it starts."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return [pool.submit(_do_nothing) for _ in range(PROCESSES)]
    finally:
        signal.signal(signal.SIGINT, handler)


def _do_nothing() -> None:
    """Task that ends when a process has started."""


def _warm_up(readable: bool) -> None:
    """Prepare a process: leave Ctrl-C to the server, and import all routes so that the first caller need not wait."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_server, daemon=True).start()
    allow_test_domains()
    if readable:
        sys.stdout = ReadableLog(sys.stdout)
    functions()


def _end_with_server() -> None:
    """Wait for the end of the server, and end this process: a server that was killed cannot do it."""
    server = multiprocessing.parent_process()
    if server:
        server.join()
        os._exit(1)


def run(
    key: RSAPrivateKey,
    operator: AccessKey,
    user_pool: UserPoolService,
    banks: Banks,
    port: int,
    announce: Callable[[], None],
    *,
    folder: Path | None,
    readable: bool,
    events: bool,
) -> None:
    """Serve on the loopback interface until interrupted. `announce` is called when the server is ready.

    `folder` has the data (None: in memory). If `readable`, log lines are short and for people. Without `events`, the
    table has no stream, and nothing reads it.
    """
    server = Server(key, operator, user_pool, banks, readable=readable)
    queues = [*readers(server.invoke)]
    sources: list[Source] = [Clock(server.invoke), banks, *queues]
    if events and dynoxide.package():
        sources.append(Stream(server.invoke, folder, queues))
    config = uvicorn.Config(
        server,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        asyncio.run(_serve(uvicorn.Server(config), sources, announce))
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def _stop(*_: object) -> None:
    """Interrupt the server once: `uv run` may forward a Ctrl-C that this process got as well."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


class Source(Protocol):
    """Service of AWS that calls functions."""

    async def run(self) -> None:
        """Call functions until cancelled."""


async def _serve(server: uvicorn.Server, sources: Sequence[Source], announce: Any) -> None:
    serving = asyncio.create_task(server.serve())
    calling = [asyncio.create_task(source.run()) for source in sources]
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        announce()
    await serving
    for task in calling:
        task.cancel()


def settings_for(folder: Path | None) -> None:
    """Set the environment variables of functions for CORS, cursors and webhooks. `folder` has keys (None: random)."""
    os.environ["CORS_ORIGINS"] = "*"
    os.environ["WEBHOOKS_TO_ANYWHERE"] = "on"
    os.environ["PROVIDER_SECRETS"] = "tradepost/local/"
    os.environ.setdefault("CURSOR_KEYS", _key(folder, "cursor-key"))
    os.environ.setdefault("WEBHOOK_KEY", _key(folder, "webhook-key"))


def _key(folder: Path | None, name: str) -> str:
    if folder is None:
        return os.urandom(32).hex()
    path = folder / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(os.urandom(32).hex())
    return path.read_text()
