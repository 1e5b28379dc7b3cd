"""The simulators of the local server: their HTTP side, and the webhooks that they send."""

import asyncio
import hashlib
import hmac
import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random, SystemRandom
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from local.loopback import Answered, Asked, served
from local.simulators import page
from local.simulators.paypal import signing
from local.simulators.paypal.api import PayPal
from local.simulators.paypal.objects import time as written
from local.simulators.store import Store, Webhook
from local.simulators.stripe.api import Stripe
from repositories.aws.settings import environment

PATH = "/_simulators"
_JSON = {"Content-Type": "application/json"}
_PAUSE_SECONDS = 0.2
_TRIES = 8
_TIMEOUT = 10.0


class Banks:
    """All simulators, on one file (None: in memory)."""

    def __init__(self, path: Path | None, chance: Random | None = None, now: Callable[[], float] = time.time) -> None:
        """`chance` makes ids."""
        self.store = Store(path)
        self.stripe = Stripe(self.store, chance or SystemRandom(), now)
        self.paypal = PayPal(self.store, chance or SystemRandom(), now)

    def handle(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> Answered:
        """Answer a request to a path below `/_simulators`; header names are in lower case."""
        provider, _, rest = path.removeprefix(f"{PATH}/").partition("/")
        if provider == "stripe" and rest.startswith("v1/"):
            reply = self.stripe.handle(method, f"/{rest}", query, headers, body.decode())
            return Answered(reply.status, _JSON | reply.headers, _json(reply.body))
        if provider == "paypal" and f"/{rest}" == signing.CERTIFICATE:
            return Answered(200, {"Content-Type": "application/x-pem-file"}, signing.certificate(self.store).encode())
        if provider == "paypal" and re.match(r"v[12]/", rest):
            base = f"http://{headers.get('host', '')}{PATH}/paypal"
            answer = self.paypal.handle(method, f"/{rest}", query, headers, body.decode(), base)
            return Answered(answer.status, _JSON, _json(answer.body))
        if path == PATH and method == "POST":
            page.act(self.stripe, self.paypal, self.store, body.decode())
            return Answered(303, {"Location": PATH}, b"")
        if path.rstrip("/") == PATH:
            return Answered(200, {"Content-Type": "text/html; charset=utf-8"}, page.page(self.store).encode())
        return Answered(404, _JSON, _json({"error": {"message": "There is nothing."}}))

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
            if self.send(webhook) or webhook.tries + 1 >= _TRIES:
                self.store.sent(webhook)
            else:
                self.store.again(webhook, time.time() + 2**webhook.tries)

    def send(self, webhook: Webhook) -> bool:
        """Send a webhook, signed as its provider signs; return whether it was taken."""
        endpoint = json.loads(webhook.endpoint)
        headers = _JSON | self.signed(endpoint, webhook.body, time.time())
        try:
            return httpx.post(endpoint["url"], content=webhook.body, headers=headers, timeout=_TIMEOUT).is_success
        except httpx.HTTPError:
            return False

    def signed(self, endpoint: Mapping[str, str], body: str, at: float) -> dict[str, str]:
        """Return the headers with the signature of a body for an endpoint, at a time in seconds since the epoch."""
        if endpoint["provider"] == "stripe":
            return {"Stripe-Signature": signature(body, endpoint["secret"], at)}
        transmission = str(uuid4())
        return signing.headers(self.store, endpoint["base"], endpoint["webhook"], body, transmission, written(at))


def signature(body: str, secret: str, at: float) -> str:
    """Return the header with the signature of a body (Stripe documentation, "Verify webhook signatures manually")."""
    signed = hmac.new(secret.encode(), f"{int(at)}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={int(at)},v1={signed}"


def addresses(base: str) -> dict[str, str]:
    """Return the environment variables that let functions use the simulators at an address."""
    return environment(stripe_api=f"{base}/stripe", paypal_api=f"{base}/paypal")


@contextmanager
def serving(banks: Banks) -> Iterator[str]:
    """Serve simulators on the loopback interface and yield the address below which each provider has its API."""

    def answer(asked: Asked) -> Answered:
        parts = urlsplit(asked.target)
        return banks.handle(asked.method, parts.path, parts.query, asked.headers, asked.body)

    with served(answer, "GET", "POST") as address:
        yield f"{address}{PATH}"


@contextmanager
def simulated(chance: Random | None = None, now: Callable[[], float] = time.time) -> Iterator[Banks]:
    """Serve simulators in memory; within the context, functions use them."""
    with closing(Banks(None, chance, now)) as banks, serving(banks) as address:
        os.environ |= addresses(address)
        yield banks


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()
