"""Webhook endpoints: what owners do with them, and receivers that fail, are slow, and check what they get."""

import json
from base64 import b64decode
from typing import Any

from repositories.webhooks.secrets import PREFIX, signatures
from repositories.webhooks.sending import Outcome
from tests.simulation.checks.violation import require
from tests.simulation.workload.actors import Actor, World

ENDPOINTS: dict[str, dict[str, Any]] = {
    "all": {"ordering": "none"},
    "orders": {
        "ordering": "subject",
        "types": [f"tradepost.order.{each}" for each in ("placed", "paid", "cancelled", "expired", "refunded")],
    },
}
"""Endpoints that get their events to the end, by the path of their URL."""


def prepare(actor: Actor) -> None:
    """Add the endpoints."""
    for name, fields in ENDPOINTS.items():
        body = {"url": f"https://{name}.example/"} | fields
        answer = actor.ask("CreateWebhookEndpoint", body=body, key=name)
        require(answer and answer.status == 201, f"Endpoint {name} could not be added: {answer}")
        if answer:
            actor.world.hooks[name] = answer.body["id"]
            actor.world.secrets[name] = [answer.body["secret"]]


class Receivers:
    """What is behind the endpoints' URLs, in place of the internet."""

    def __init__(self, world: World, failing: float) -> None:
        self.world, self.failing = world, failing

    def send(self, url: str, headers: dict[str, str], body: str) -> Outcome:
        """Take an event, or fail, before it is taken or after."""
        world, scheduler = self.world, self.world.scheduler
        name = url.removeprefix("https://").partition(".")[0]
        chance = scheduler.chance
        scheduler.wait(chance.expovariate(20) * (100 if chance.random() < 0.02 else 1))
        if chance.random() < self.failing:
            return Outcome(500, "HTTP 500", 1)
        self._check_signature(name, headers, body)
        event = json.loads(body)
        world.received.append((name, event["subject"], int(event["sequence"]), event["id"], scheduler.time))
        scheduler.wait(chance.expovariate(20))
        if chance.random() < self.failing:
            return Outcome(None, "timed out", 10_000)
        return Outcome(200, None, 1)

    def _check_signature(self, name: str, headers: dict[str, str], body: str) -> None:
        from datetime import UTC, datetime

        at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        keys = [b64decode(each.removeprefix(PREFIX)) for each in self.world.secrets[name]]
        valid = set(signatures(keys, headers["webhook-id"], at, body).split())
        signed = set(headers["webhook-signature"].split())
        # A rotation may be done and its answer, with the new secret, be lost.
        require(signed & valid or self.world.rotating, f"{name} got an event with a wrong signature.")


def manage(actor: Actor) -> None:
    """Change an endpoint while events are sent to it: its description, or its secret."""
    world, chance = actor.world, actor.world.scheduler.chance
    name = chance.choice(list(ENDPOINTS))
    ids = {"endpoint_id": world.hooks[name]}
    if chance.random() < 0.5:
        actor.ask("ChangeWebhookEndpoint", ids, {"description": world.mark()}, if_match="*")
        return
    world.rotating += 1
    answer = actor.ask("RotateWebhookSecret", ids, key=world.mark())
    if answer:
        world.secrets[name].append(answer.body["secret"])


def retry(actor: Actor) -> None:
    """Deliver something again, whatever came of it."""
    world, chance = actor.world, actor.world.scheduler.chance
    name = chance.choice(list(ENDPOINTS))
    ids = {"endpoint_id": world.hooks[name]}
    page = actor.ask("ListWebhookDeliveries", ids, query="limit=9")
    if page is None or not page.body["items"]:
        return
    event = chance.choice(page.body["items"])["event_id"]
    world.again.add(event)
    answer = actor.ask("RetryWebhookDelivery", ids | {"event_id": event}, key=world.mark())
    require(answer is None or answer.status == 202, f"RetryWebhookDelivery answered {answer}.")


def test_endpoint(actor: Actor) -> None:
    """Ask for a test event."""
    world = actor.world
    name = world.scheduler.chance.choice(list(ENDPOINTS))
    answer = actor.ask("TestWebhookEndpoint", {"endpoint_id": world.hooks[name]}, key=world.mark())
    if answer:
        require(answer.status == 202, f"TestWebhookEndpoint answered {answer}.")
        world.tested.append((name, answer.body["event_id"]))


def read_sales(actor: Actor) -> None:
    """Read the sales: never more than what was paid."""
    world = actor.world
    answer = actor.ask("GetSales", query="from=2025-12-01&to=2026-03-01&group_by=day")
    if answer is None:
        return
    shown = sum(row["orders"] for row in answer.body["rows"])
    paid = world.watch.paid_orders()
    require(shown <= paid, f"Sales of {shown} orders are shown, and {paid} were paid.")
