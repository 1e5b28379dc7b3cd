"""Local HTTP server for functions that run as in Lambda: each process handles one call at a time."""

import asyncio
import multiprocessing
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from handlers.registry import functions
from local.cognito.service import KEYS_PATH, UserPoolService
from local.gateway import MAX_BODY_BYTES, Gateway, Reply, Request
from local.invocation import invoke
from local.scheduler import Clock
from local.sigv4 import AccessKey

PROCESSES = 4
"""Maximum number of concurrent calls, like concurrent execution environments in Lambda."""


COGNITO_PATH = "/cognito-idp"


class Server:
    """ASGI application that runs functions in a pool of processes."""

    def __init__(self, key: RSAPrivateKey, operator: AccessKey, user_pool: UserPoolService) -> None:
        self._pool = ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn"), initializer=_warm_up)
        self._gateway = Gateway(key, operator, self.invoke)
        self._user_pool = user_pool
        wait(_started(self._pool))

    def close(self) -> None:
        """Wait for running calls, cancel queued ones and stop the processes."""
        self._pool.shutdown(cancel_futures=True)

    async def invoke(self, name: str, event: dict[str, Any]) -> Any:
        """Return the result of a function for an event."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, invoke, name, event)

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
        at_pool = request.path.startswith(COGNITO_PATH)
        reply = await (self._sign_in(request) if at_pool else self._gateway.handle(request))
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
        headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

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


def _started(pool: ProcessPoolExecutor) -> list[Future[None]]:
    """Start all processes of the pool. They inherit that Ctrl-C is ignored, so that it ends none while it starts."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return [pool.submit(_do_nothing) for _ in range(PROCESSES)]
    finally:
        signal.signal(signal.SIGINT, handler)


def _do_nothing() -> None:
    """Task that ends when a process has started."""


def _warm_up() -> None:
    """Prepare a process: leave Ctrl-C to the server, and import all routes so that the first caller need not wait."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    functions()


def run(key: RSAPrivateKey, operator: AccessKey, user_pool: UserPoolService, port: int, announce: Any) -> None:
    """Serve on the loopback interface until interrupted. `announce` is called when the server is ready."""
    server = Server(key, operator, user_pool)
    clock = Clock(server.invoke)
    config = uvicorn.Config(
        server,
        host="127.0.0.1",
        port=port,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    try:
        asyncio.run(_serve(uvicorn.Server(config), clock, announce))
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


async def _serve(server: uvicorn.Server, clock: Clock, announce: Any) -> None:
    serving = asyncio.create_task(server.serve())
    ticking = asyncio.create_task(clock.run())
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if server.started:
        announce()
    await serving
    ticking.cancel()


def settings_for(folder: Path | None) -> None:
    """Set the environment variables of functions for CORS and cursors. `folder` has the cursor key (None: random)."""
    os.environ["CORS_ORIGINS"] = "*"
    os.environ.setdefault("CURSOR_KEYS", _cursor_key(folder))


def _cursor_key(folder: Path | None) -> str:
    if folder is None:
        return os.urandom(32).hex()
    path = folder / "cursor-key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(os.urandom(32).hex())
    return path.read_text()
