"""Tests of hostile receivers and refused addresses: they harm nothing, and delay no other."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from handlers.invocations.trigger import Queue
from local.invocation import invoke
from repositories.aws.settings import settings
from repositories.webhooks import addresses, sending
from repositories.webhooks.addresses import AddressRefusedError, is_public, target_of
from repositories.webhooks.sending import send
from tests.integration.flow.common import Flow
from tests.integration.flow.receivers import accepting, receiving
from tests.shop import Shop

REFUSED = (
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),  # noqa: S104
    *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.0.8", "192.88.99.1", "198.18.0.1", "192.0.2.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd00::1", "ff02::1", "fec0::1", "2001:db8::1", "100::1"),
    *("::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "::127.0.0.1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::"),
)


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001::1"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(ip_address(address))


type Resolve = Callable[[dict[str, list[str]]], None]


@pytest.fixture
def strict(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolve]:
    """Rules as in AWS; returns a function that sets what host names resolve to."""
    monkeypatch.setenv("WEBHOOKS_TO_ANYWHERE", "")
    settings.cache_clear()

    def resolve(hosts: dict[str, list[str]]) -> None:
        def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            if host not in hosts:
                raise socket.gaierror
            return [(0, 0, 0, "", (each, port)) for each in hosts[host]]

        monkeypatch.setattr(addresses, "getaddrinfo", getaddrinfo)

    yield resolve
    settings.cache_clear()


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hooks",
        "https://shop.example:8080/hooks",
        "https://user@shop.example/hooks",
        "https://user:secret@shop.example/hooks",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://shop.example\\@inside.example/",
        "https://shöp.example/",
        "https://inside.example/",
        "https://both.example/",
        "https://nowhere.example/",
        "https://shop.example:99999/",
        "ftp://shop.example/",
        "https:///hooks",
        "hooks",
    ],
)
def test_an_endpoint_with_a_refused_url_cannot_be_added(shop: Shop, strict: Resolve, url: str) -> None:
    strict({"shop.example": ["93.184.215.14"], "inside.example": ["10.0.0.7"], "both.example": ["8.8.8.8", "10.0.0.7"]})
    answer = shop.post("/webhook-endpoints", {"url": url})
    assert (answer.status, answer.pointers) == (400, ["/url"])
    with pytest.raises(AddressRefusedError):
        target_of(url)
    good = shop.post("/webhook-endpoints", {"url": "https://shop.example/hooks"})
    assert good.status == 201
    changed = shop.patch(f"/webhook-endpoints/{good.json['id']}", {"url": url}, "*")
    assert (changed.status, changed.pointers) == (400, ["/url"])


def test_a_name_that_moves_inside_after_registration_is_a_failed_attempt(shop: Shop, strict: Resolve) -> None:
    strict({"shop.example": ["93.184.215.14"]})
    made = shop.post(
        "/webhook-endpoints", {"url": "https://shop.example/hooks", "types": ["tradepost.order.paid"]}
    ).json
    shop.post(f"/webhook-endpoints/{made['id']}/test", None)
    strict({"shop.example": ["127.0.0.1"]})
    Flow(shop).run()
    [delivery] = shop.get(f"/webhook-endpoints/{made['id']}/deliveries").json["items"]
    [attempt] = delivery["attempts"]
    assert (attempt["status"], attempt["error"]) == (None, "The host must have public addresses only.")


def test_the_connection_is_made_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server may give another address the second time; there is none."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", ("93.184.215.14" if len(asked) == 1 else "127.0.0.1", port))]

    connected: list[Any] = []

    def create_connection(address: Any, *_: Any, **__: Any) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setenv("WEBHOOKS_TO_ANYWHERE", "")
    monkeypatch.setenv("TABLE_NAME", "tradepost")
    settings.cache_clear()
    monkeypatch.setattr(addresses, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr("urllib3.util.connection.create_connection", create_connection)
    outcome = send("https://shop.example/hooks", {}, "{}")
    settings.cache_clear()
    assert asked == ["shop.example"]
    assert connected == [("93.184.215.14", 443)]
    assert (outcome.status, outcome.error) == (None, "NewConnectionError")


@pytest.fixture
def brief(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts that are given less time, for tests."""
    monkeypatch.setattr(sending, "SECONDS", 1.0)


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    ("serve", "error"),
    [
        (lambda _: time.sleep(30), "timed out"),
        (lambda connection: _drip(connection, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000), "timed out"),
        (lambda connection: _drip(connection, b"HTTP/1.1 " + b"1" * 1000), "timed out"),
        (lambda connection: connection.sendall(b"nonsense\r\n\r\n"), "BadStatusLine"),
        (lambda connection: connection.close(), "RemoteDisconnected"),
        (lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000), "HTTPException"),
        (lambda connection: connection.sendall(b"HTTP/1.1 500 No\r\n\r\n"), "HTTP 500"),
        (
            lambda connection: connection.sendall(b"HTTP/1.1 302 No\r\nLocation: http://169.254.169.254/\r\n\r\n"),
            "HTTP 302: redirects are not followed",
        ),
    ],
    ids=["silent", "drips headers", "drips a status", "no HTTP", "hangs up", "endless headers", "500", "redirects"],
)
def test_a_hostile_answer_is_a_failed_attempt(serve: Callable[[socket.socket], None], error: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(65_536)
        serve(connection)

    with accepting(answer) as url:
        outcome = send(url, {}, "{}")
    assert outcome.error == error


def _drip(connection: socket.socket, answer: bytes) -> None:
    for number in range(len(answer)):
        connection.sendall(answer[number : number + 1])
        time.sleep(0.2)


@pytest.mark.usefixtures("brief")
def test_a_name_server_that_does_not_answer_is_a_failed_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(addresses, "getaddrinfo", lambda *_, **__: released.wait(60) or [])
    outcome = send("https://shop.example/hooks", {}, "{}")
    released.set()
    assert (outcome.status, outcome.error) == (None, "timed out")


@pytest.mark.usefixtures("brief")
def test_a_huge_answer_is_not_read() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        for _ in range(10_000):
            sent += connection.send(b"x" * 65_536)

    with accepting(flood) as url:
        outcome = send(url, {}, "{}")
    assert (outcome.status, outcome.error) == (200, None)
    assert sent < 100_000_000


def test_a_redirect_to_another_receiver_reaches_nobody(shop: Shop) -> None:
    with receiving() as inside, receiving() as outside:
        outside.status, outside.headers = 307, {"Location": inside.url}
        made = shop.post("/webhook-endpoints", {"url": outside.url}).json
        Flow(shop).run()
        assert (len(outside.raw), inside.raw) == (1, [])
    [delivery] = shop.get(f"/webhook-endpoints/{made['id']}/deliveries").json["items"]
    assert delivery["attempts"][0]["error"] == "HTTP 307: redirects are not followed"


def test_proxies_of_the_environment_are_not_used(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert send(receiver.url, {}, "{}").error is None
    assert (len(receiver.raw), proxy.raw) == (1, [])


@pytest.mark.usefixtures("brief")
def test_a_slow_receiver_delays_no_other(shop: Shop) -> None:
    """Attempts are messages of their own: while one waits for a slow receiver, those to others are made."""
    released = threading.Event()

    def wait(connection: socket.socket) -> None:
        connection.recv(65_536)
        released.wait(60)

    with accepting(wait) as slow, receiving() as good:
        ids = [
            shop.post("/webhook-endpoints", {"url": url, "types": ["tradepost.order.paid"]}).json["id"]
            for url in (slow, good.url)
        ]
        for each in ids:
            shop.post(f"/webhook-endpoints/{each}/test", None)
        flow = Flow(shop)
        flow.relay()
        messages = flow.messages(Queue.DELIVERIES)
        threads = [threading.Thread(target=invoke, args=("DeliverWebhooks", {"Records": [each]})) for each in messages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        released.set()
    assert len(good.raw) == 1
    status = {each: shop.get(f"/webhook-endpoints/{each}/deliveries").json["items"][0]["status"] for each in ids}
    assert status == {ids[0]: "pending", ids[1]: "succeeded"}
