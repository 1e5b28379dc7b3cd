"""The simulators of the local server: their HTTP side, and the webhooks that they send."""

import asyncio
import hashlib
import hmac
import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random, SystemRandom
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.loopback import Answered, Asked, served
from local.simulators import page
from local.simulators.store import Store, Webhook
from local.simulators.stripe.api import Stripe
from repositories.aws.settings import environment

PATH = "/_simulators"
_PAUSE_SECONDS = 0.2
_TRIES = 8
_TIMEOUT = 10.0


class Banks:
    """All simulators, on one file (None: in memory)."""

    def __init__(self, path: Path | None, chance: Random | None = None, now: Callable[[], float] = time.time) -> None:
        """`chance` makes ids."""
        self.store = Store(path)
        self.stripe = Stripe(self.store, chance or SystemRandom(), now)

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Answer a request to a path below `/_simulators`; header names are in lower case."""
        provider, _, rest = path.removeprefix(f"{PATH}/").partition("/")
        if provider == "stripe" and rest.startswith("v1/"):
            reply = self.stripe.handle(method, f"/{rest}", query, headers, body.decode())
            return Answered(reply.status, {"Content-Type": "application/json"} | reply.headers, _json(reply.body))
        if path == PATH and method == "POST":
            page.act(self.stripe, body.decode())
            return Answered(303, {"Location": PATH}, b"")
        if path.rstrip("/") == PATH:
            return Answered(200, {"Content-Type": "text/html; charset=utf-8"}, page.page(self.store).encode())
        return Answered(404, {"Content-Type": "application/json"}, _json({"error": {"message": "There is nothing."}}))

    def close(self) -> None:
        """Close the file."""
        self.store.close()

    async def run(self) -> None:
        """Send webhooks until cancelled. One that is not taken is sent again, later and later."""
        while True:
            try:
                await asyncio.to_thread(self.send_due)
            except Exception:
                logging.getLogger("tradepost").exception("Webhooks of the simulators are sent again")
            await asyncio.sleep(_PAUSE_SECONDS)

    def send_due(self) -> None:
        """Send the webhooks that are due."""
        for webhook in self.store.due(time.time()):
            if send(webhook) or webhook.tries + 1 >= _TRIES:
                self.store.sent(webhook)
            else:
                self.store.again(webhook, time.time() + 2**webhook.tries)


def send(webhook: Webhook) -> bool:
    """Send a webhook, signed as Stripe signs; return whether it was taken."""
    url, secret = json.loads(webhook.endpoint)
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature(webhook.body, secret, time.time())}
    try:
        return httpx.post(url, content=webhook.body, headers=headers, timeout=_TIMEOUT).is_success
    except httpx.HTTPError:
        return False


def signature(body: str, secret: str, at: float) -> str:
    """Return the header with the signature of a body (Stripe documentation, "Verify webhook signatures manually")."""
    signed = hmac.new(secret.encode(), f"{int(at)}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={int(at)},v1={signed}"


@contextmanager
def serving(banks: Banks) -> Iterator[str]:
    """Serve simulators on the loopback interface and yield the address of Stripe's."""

    def answer(asked: Asked) -> Answered:
        parts = urlsplit(asked.target)
        return banks.handle(asked.method, parts.path, parts.query, asked.headers, asked.body)

    with served(answer, "GET", "POST") as address:
        yield f"{address}{PATH}/stripe"


@contextmanager
def simulated(chance: Random | None = None, now: Callable[[], float] = time.time) -> Iterator[Banks]:
    """Serve simulators in memory; within the context, functions use them."""
    banks = Banks(None, chance, now)
    with serving(banks) as address:
        os.environ |= environment(stripe_api=address)
        yield banks
    banks.close()


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()
