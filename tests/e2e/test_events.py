"""Tests of events that leave the running server: figures, webhooks, `listen`, and a server that is killed."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.commands.running import running
from handlers.registry import ROOT
from tests.conftest import Server
from tests.e2e.commands import tradepost
from tests.integration.flow.receivers import receiving
from tests.shop import Shop


def _until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline, "it has not happened"
        time.sleep(0.1)


def _sold(shop: Shop) -> str:
    item = shop.add(stock=9)["id"]
    order: str = shop.order({item: 2}).json["id"]
    assert shop.pay(order).status == 201
    return order


def _orders(shop: Shop) -> int:
    return sum(row["orders"] for row in shop.get("/stats/sales").json["rows"])


def test_an_order_is_counted_and_posted_to_an_endpoint(server: Server) -> None:
    shop = server.shop()
    with receiving() as receiver:
        made = shop.post("/webhook-endpoints", {"url": receiver.url, "ordering": "subject"}).json
        receiver.secret = made["secret"]
        order = _sold(shop)
        shop.move(order, "ship")
        _until(lambda: "order.shipped" in receiver.types)
        assert [each["sequence"] for each in receiver.got if each["subject"] == order] == ["1", "2", "3"]
        shop.delete(f"/webhook-endpoints/{made['id']}", "*")
    _until(lambda: _orders(shop) == 1)


def test_what_was_not_handled_when_a_server_was_killed_is_handled_by_the_next(tmp_path: Path) -> None:
    first = Server(tmp_path)
    with receiving() as receiver:
        shop = first.shop("killed")
        made = shop.post("/webhook-endpoints", {"url": receiver.url, "types": ["tradepost.order.paid"]}).json
        receiver.secret = made["secret"]
        orders = {_sold(shop) for _ in range(3)}
        first.process.kill()
        first.process.wait()
        first.stop()
        second = Server(tmp_path)
        try:
            shop = second.shop("killed")
            _until(lambda: {each["subject"] for each in receiver.got} == orders)
            _until(lambda: _orders(shop) == 3)
        finally:
            second.stop()


def _queues(server: Server) -> list[str]:
    import boto3

    create: Any = boto3.client
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local", "region_name": "eu-west-1"}
    sqs = create("sqs", endpoint_url=running(server.data)["services"], **keys)
    return [url for url in sqs.list_queues().get("QueueUrls", []) if "listen" in url]


def test_a_listener_prints_and_forwards_what_happens_and_leaves_nothing_behind(server: Server) -> None:
    shop = server.shop()
    types = "tradepost.order.placed,tradepost.order.paid"
    with receiving() as receiver:
        command = [sys.executable, "-m", "cli.main", "listen", "--tenant", shop.tenant, "--data", str(server.data)]
        options = ["--types", types, "--forward-to", receiver.url]
        listener = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        try:
            assert listener.stdout
            receiver.secret = listener.stdout.readline().split()[-1]
            assert listener.stdout.readline().startswith("Listening")
            order = _sold(shop)
            lines = [listener.stdout.readline() for _ in range(2)]
            assert len(_queues(server)) == 1
            listener.send_signal(2)
            assert listener.wait(60) == 0
        finally:
            listener.kill()  # a failure would otherwise wait for it for ever
            listener.communicate()
    assert {line.split()[1] for line in lines} == set(types.split(","))
    assert all(order in line and line.endswith("→ 200\n") for line in lines)
    assert {each["type"] for each in receiver.got} == set(types.split(","))
    assert _queues(server) == []


def test_events_of_before_are_replayed_with_their_ids(server: Server) -> None:
    shop = server.shop()
    _sold(shop)
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    options = ("--tenant", shop.tenant, "--data", str(server.data), "--from", day, "--types", "tradepost.order.paid")

    def replayed() -> str:
        done = tradepost("events", "replay", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    _until(lambda: "1 events." in replayed())
    feed = shop.get("/events?types=tradepost.order.paid").json["items"]
    with receiving() as receiver:
        done = tradepost("events", "replay", *options, "--forward-to", receiver.url, "--secret", "whsec_c2VjcmV0")
        receiver.secret = "whsec_c2VjcmV0"
        assert "→ 200" in done.stdout
        assert [json.loads(body) for _, body in receiver.raw] == feed


def test_mistakes_get_a_sentence(server: Server) -> None:
    data = ("--data", str(server.data))
    for options, said in (
        (("listen", "--types", "order.paid", *data), "There is no type 'order.paid'"),
        (("listen", "--forward-to", "http://127.0.0.1:9", "--secret", "x!", *data), "whsec_"),
        (("events", "replay", "--from", "2020-01-01", *data), "30 days"),
    ):
        done = tradepost(*options)
        assert done.returncode == 2
        assert said in done.stderr
