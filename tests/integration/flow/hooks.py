"""Endpoints, their deliveries, and the time of functions that deliver."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.common.environment import now
from local.aws.scheduler import scheduled_event
from local.invocation import invoke
from repositories.dynamodb.work_list import Work
from tests.integration.flow.common import Flow
from tests.integration.flow.receivers import Receiver
from tests.shop import Shop
from tests.work_lists import own_work_list

type Row = dict[str, Any]


class Clock:
    """Time as functions that deliver see it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = timedelta()
        own_work_list(monkeypatch, Work.DELIVERY)
        for name in (
            "handlers.triggers.deliver_webhooks",
            "handlers.triggers.handle_events",
            "handlers.triggers.sweep_deliveries",
            "repositories.webhooks.delivering",
            "repositories.webhooks.due",
        ):
            monkeypatch.setattr(f"{name}.now", lambda: now() + self.ahead)


def endpoint(shop: Shop, receiver: Receiver, **fields: Any) -> Row:
    made = shop.post("/webhook-endpoints", {"url": receiver.url} | fields)
    assert made.status == 201, made.body
    receiver.secret = made.json["secret"]
    shown: Row = made.json
    return shown


def deliveries(shop: Shop, endpoint_id: str, query: str = "") -> list[Row]:
    return shop.walk(7, f"/webhook-endpoints/{endpoint_id}/deliveries?{query}")


def paid(shop: Shop) -> str:
    item = shop.add(stock=9)["id"]
    order: str = shop.order({item: 1}).json["id"]
    shop.pay(order)
    return order


def sweep(flow: Flow) -> None:
    """Bring overdue attempts back, of all tenants, and make those of this one."""
    invoke("SweepDeliveries", scheduled_event(now()))
    flow.run()


def time_of(text: str) -> datetime:
    return datetime.fromisoformat(text)


def deliver_due(flow: Flow) -> None:
    """Make the attempts whose messages a queue would have delayed."""
    for row in flow.due_rows():
        if "gsi3sk" in row:
            body = {"tenant": flow.shop.tenant, "pk": row["pk"], "sk": row["sk"], "due": row["gsi3sk"]}
            invoke("DeliverWebhooks", {"Records": [{"body": json.dumps(body)}]})
