"""The audit finds whatever is broken by hand, and nothing where nothing is."""

import json
import threading
import zlib
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.progress import Progress

from cli.audit import Audit, BrokenError
from cli.audit.reading import Reading
from cli.main import RUNNING
from domain.common.environment import now
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys
from repositories.dynamodb.codec import decode, encode
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Meter, Table
from repositories.ledger.posting import Draft
from repositories.ledger.rows import places_of, transaction_of
from repositories.orders.rows import StoredOrder
from tests.books import account, entry, ledger, post, transfer
from tests.conftest import Server
from tests.faults import interleaved
from tests.shop import Shop


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just posted counts as settled."""
    monkeypatch.setattr("cli.audit.state.now", lambda: now() + timedelta(seconds=40))
    monkeypatch.setattr("cli.audit.reading._PAUSE_SECONDS", 0.0)


@pytest.fixture
def trade(shop: Shop) -> dict[str, str]:
    """A shop that has sold a little, refunded, and kept books."""
    item = shop.add(stock=15, sku="A")["id"]
    shop.add(stock=3, sku="B")
    shop.post(f"/items/{item}/stock-buckets", {"count": 3})
    shop.adjust(item, 5)
    orders = [shop.order({item: 2}).json["id"] for _ in range(4)]
    payments = [shop.pay(order).json for order in orders[:3]]
    shop.move(orders[1], "refund")
    shop.move(orders[2], "ship")
    bank, fund = account(shop, floor="0"), account(shop, "equity")
    txn = [transfer(shop, bank, fund, minor).json["id"] for minor in (10, 20, 30)][1]
    closed = account(shop)
    there_and_back = [entry(each, side, 5) for each in (closed, fund) for side in ("debit", "credit")]
    post(shop, *there_and_back)
    assert shop.post(f"/ledger/accounts/{closed}/close", None).status == 200
    return {
        "item": item,
        "paid": orders[0],
        "refunded": orders[1],
        "pending": orders[3],
        "bank": bank,
        "txn": txn,
        "payment_txn": payments[0]["transaction_id"],
        "refunded_txn": payments[1]["transaction_id"],
        "refund": shop.get(f"/ledger/transactions/{payments[1]['transaction_id']}").json["reversed_by"],
        "closed": closed,
        "shipped": orders[2],
        "cash": next(each["id"] for each in shop.walk(9, "/ledger/accounts?") if each["code"] == "shop.cash.EUR"),
    }


def _auditing(shop: Shop, tmp_path: Path, rate: float = 1e6) -> Audit:
    table = Table(dynamodb(), "tradepost", Meter())
    return Audit(table, shop.tenant, tmp_path / "state.json", rate, Progress(disable=True))


def _audit(shop: Shop, tmp_path: Path) -> dict[str, int]:
    return _auditing(shop, tmp_path).run()


def test_a_shop_that_traded_is_in_order(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    checked = _audit(shop, tmp_path)
    assert checked == {"chains": 18, "transactions": 8, "orders": 4, "stock": 2}
    assert not (tmp_path / "state.json").exists()


def test_an_empty_shop_is_in_order(shop: Shop, tmp_path: Path) -> None:
    assert _audit(shop, tmp_path) == {}


def _set(key: Key, change: str, **values: Any) -> None:
    options: dict[str, Any] = {}
    if values:
        options["ExpressionAttributeValues"] = encode({f":{name}": value for name, value in values.items()})
    if "#s" in change:
        options["ExpressionAttributeNames"] = {"#s": "status"}
    dynamodb().update_item(
        TableName="tradepost",
        Key=encode(key._asdict()),
        UpdateExpression=change,
        **options,
    )


def _drop(key: Key) -> None:
    dynamodb().delete_item(TableName="tradepost", Key=encode(key._asdict()))


def _drop_bucket(tenant: str, made: dict[str, str]) -> None:
    """Remove a bucket, but not the one that a sweeper of another test will give the pending order's units back to."""
    row = dynamodb().get_item(TableName="tradepost", Key=encode(keys.order(tenant, made["pending"])._asdict()))["Item"]
    [hold] = StoredOrder.of(decode(row)).holds
    _drop(keys.stock(tenant, made["item"], 1 if hold.bucket == 2 else 2))


def _rewrite(tenant: str, transaction_id: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Let a transaction and its entries in their chains say something else; balances of chains follow."""
    key = keys.transaction(tenant, transaction_id)
    places = places_of(decode(dynamodb().get_item(TableName="tradepost", Key=encode(key._asdict()))["Item"]))
    fields = ("account", "direction", "amount", "currency", "stripe", "sequence")
    changed = change([dict(zip(fields, place, strict=True)) for place in places])
    for each in changed:
        if each.pop("swap", False):
            each["direction"] = "credit" if each["direction"] == "debit" else "debit"
    entries = zlib.compress(json.dumps([[each[name] for name in fields] for each in changed]).encode())
    _set(key, "SET entries = :e", e=entries)
    for each in changed:
        _rechain(tenant, each)


def _rechain(tenant: str, changed: dict[str, Any]) -> None:
    at = keys.entry(tenant, changed["account"], changed["stripe"], changed["sequence"])
    _set(at, "SET direction = :d, amount = :a", d=changed["direction"], a=changed["amount"])
    rows = dynamodb().query(
        TableName="tradepost",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :e)",
        ExpressionAttributeValues=encode({":pk": at.pk, ":e": "ENTRY"}),
    )["Items"]
    # Of the shop's accounts, cash grows by debits and sales by credits.
    cash = decode(
        dynamodb().get_item(TableName="tradepost", Key=encode(keys.account(tenant, changed["account"])._asdict()))[
            "Item"
        ]
    )["head"]["type"]
    grows, balance = "debit" if cash == "asset" else "credit", 0
    for row in map(decode, rows):
        balance += row["amount"] if row["direction"] == grows else -row["amount"]
        _set(Key(row["pk"], row["sk"]), "SET balance = :b", b=balance)


def _repost(t: str, made: dict[str, str], change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    _rewrite(t, made["refund"], change)


def _pay_again(tenant: str, made: dict[str, str]) -> None:
    """Post the payment of an order once more, rightly in itself."""
    row = dynamodb().get_item(
        TableName="tradepost", Key=encode(keys.transaction(tenant, made["payment_txn"])._asdict())
    )
    entries = transaction_of(decode(row["Item"])).entries
    ledger(tenant).post_draft(Draft("Payment again", entries, reference=made["paid"], order_id=made["paid"]))


_LATER = keys.due("order_x", datetime(2040, 1, 1, tzinfo=UTC))
"""Not to be met by sweepers of other tests."""
_COUNT = "SET on_hand = on_hand + :n, available = available + :n"

type Break = Callable[[str, dict[str, str]], None]

BREAKS: dict[str, tuple[Break, str]] = {
    "an entry lost": (lambda t, made: _drop(keys.entry(t, made["bank"], 0, 2)), "entry 2 is missing"),
    "the last entry lost": (lambda t, made: _drop(keys.entry(t, made["bank"], 0, 3)), "differ by"),
    "a balance changed": (
        lambda t, made: _set(keys.entry(t, made["bank"], 0, 2), "SET balance = :b", b=31),
        "should be 30",
    ),
    "an amount changed": (
        lambda t, made: _set(keys.entry(t, made["bank"], 0, 1), "SET amount = :a, balance = :a", a=11),
        "should be 31",
    ),
    "a time set back": (
        lambda t, made: _set(keys.entry(t, made["bank"], 0, 3), "SET posted_at = :at", at="2020-01-01T00:00:00.000Z"),
        "older than the one before",
    ),
    "an entry of another transaction": (
        lambda t, made: _set(keys.entry(t, made["bank"], 0, 2), "SET transaction_id = :id", id="txn_other"),
        "missing, or another's",
    ),
    "a transaction lost": (lambda t, made: _drop(keys.transaction(t, made["txn"])), "transactions 16"),
    "a payment lost": (lambda t, made: _drop(keys.payment(t, made["paid"], 1)), "is not the one by which"),
    "a payment of another amount": (
        lambda t, made: _set(keys.payment(t, made["paid"], 1), "SET amount = :a", a=1),
        "not its total",
    ),
    "a payment that is not posted": (
        lambda t, made: _set(keys.payment(t, made["paid"], 1), "SET transaction_id = :id", id=None),
        "is not the one by which",
    ),
    "a payment that others posted": (
        lambda t, made: _set(keys.payment(t, made["paid"], 1), "SET transaction_id = :id", id=made["txn"]),
        "is not the one by which",
    ),
    "a refund that was not posted": (
        lambda t, made: _set(keys.transaction(t, made["payment_txn"]), "SET head.reversed_by = :id", id="txn_x"),
        "txn_x is reversed, or reverses another, and is not there",
    ),
    "a refund whose order was not refunded": (
        lambda t, made: _set(keys.transaction(t, made["refunded_txn"]), "REMOVE head.reversed_by"),
        "do not name each other",
    ),
    "a refund of another amount": (
        lambda t, made: _repost(t, made, lambda entries: [each | {"amount": 1298} for each in entries]),
        "does not undo",
    ),
    "a refund the wrong way round": (
        lambda t, made: _repost(t, made, lambda entries: [each | {"swap": True} for each in entries]),
        "does not undo",
    ),
    "a refund that is no order's": (
        lambda t, made: _set(keys.transaction(t, made["refund"]), "REMOVE head.order_id"),
        "of different orders",
    ),
    "a payment that was posted twice": (lambda t, made: _pay_again(t, made), "not the one by which"),
    "an order that is gone": (lambda t, made: _drop(keys.order(t, made["paid"])), "is not there"),
    "a paid order off the list": (
        lambda t, made: _set(keys.order(t, made["paid"]), "REMOVE gsi1pk, gsi1sk"),
        "is not in its list",
    ),
    "a pending order off the list": (
        lambda t, made: _set(keys.order(t, made["pending"]), "REMOVE gsi1pk, gsi1sk"),
        "and orders hold",
    ),
    "an order off its customer's list": (
        lambda t, made: _set(keys.order(t, made["paid"]), "REMOVE gsi2pk, gsi2sk"),
        "is not in its list",
    ),
    "a pending order off the work list": (
        lambda t, made: _set(keys.order(t, made["pending"]), "REMOVE gsi3pk, gsi3sk"),
        "is not on the work list",
    ),
    "a pending order due at another time": (
        lambda t, made: _set(keys.order(t, made["pending"]), "SET gsi3sk = :sk", sk=_LATER["gsi3sk"]),
        "is not on the work list",
    ),
    "a paid order on the work list": (
        lambda t, made: _set(keys.order(t, made["paid"]), "SET gsi3pk = :gsi3pk, gsi3sk = :gsi3sk", **_LATER),
        "is on the work list by mistake",
    ),
    "an end with another balance": (
        lambda t, made: _set(keys.entry(t, made["closed"], 0, 3), "SET balance = :b", b=7),
        "not as its last entry",
    ),
    "a closed account without an end": (
        lambda t, made: _drop(keys.entry(t, made["closed"], 0, 3)),
        "closed and has no end",
    ),
    "an end of an open account": (
        lambda t, made: _set(keys.account(t, made["closed"]), "SET head.#s = :s", s="open"),
        "open and has an end",
    ),
    "an account that is gone": (lambda t, made: _drop(keys.account(t, made["bank"])), "registered and not there"),
    "a SKU that is not marked": (lambda t, _: _drop(keys.sku(t, "A")), "its SKU is not marked"),
    "a SKU that is marked as another's": (
        lambda t, _: _set(keys.sku(t, "A"), "SET item_id = :id", id="item_x"),
        "its SKU is not marked",
    ),
    "an item off the list": (
        lambda t, made: _set(keys.item(t, made["item"]), "REMOVE gsi1pk, gsi1sk"),
        "is not in its list",
    ),
    "an item that is gone": (lambda t, made: _drop(keys.item(t, made["item"])), "is not there"),
    "a bucket that is gone": (_drop_bucket, "stock rows, and"),
    "a bucket too many": (
        lambda t, made: _set(keys.stock(t, made["item"]), "SET bucket_rows = :n", n=2),
        "has 3 stock rows, and should have 2",
    ),
    "a bucket with another price": (
        lambda t, made: _set(keys.stock(t, made["item"], 2), "SET price = :p", p=1),
        "sells something else",
    ),
    "a bucket that missed an edit": (
        lambda t, made: _set(keys.stock(t, made["item"], 2), "SET edits = :e", e=9),
        "has not followed",
    ),
    "units that vanished": (
        lambda t, made: _set(keys.stock(t, made["item"]), _COUNT, n=-1),
        "17 units are on hand and 2 were shipped, and 20 came in",
    ),
    "units that a shipment left": (
        lambda t, made: _set(keys.stock(t, made["item"], 1), _COUNT, n=2),
        "20 units are on hand and 2 were shipped, and 20 came in",
    ),
    "units reserved by nobody": (
        lambda t, made: _set(keys.stock(t, made["item"]), "SET reserved = reserved + :n, on_hand = on_hand + :n", n=1),
        "orders hold",
    ),
    "units that do not add up": (
        lambda t, made: _set(keys.stock(t, made["item"], 1), "SET on_hand = on_hand + :n", n=1),
        "is not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_what_was_broken_by_hand_is_named(shop: Shop, trade: dict[str, str], tmp_path: Path, name: str) -> None:
    break_it, told = BREAKS[name]
    break_it(shop.tenant, trade)
    with pytest.raises(BrokenError, match=told):
        _audit(shop, tmp_path)


@pytest.mark.parametrize("broken", [False, True])
def test_an_audit_that_was_stopped_goes_on(
    shop: Shop, trade: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    """Stopped after each of its savings in turn, it comes to the same end."""
    for module in ("reading", "chains"):
        monkeypatch.setattr(f"cli.audit.{module}.PAGE", 2)
    whole = _audit(shop, tmp_path)
    save = Reading.save
    stops = 0

    def stop(self: Reading) -> None:
        save(self)
        raise KeyboardInterrupt

    table = keys.stock(shop.tenant, trade["item"])
    if broken:
        _set(table, "SET reserved = reserved + :n, on_hand = on_hand + :n", n=1)
    while True:
        with monkeypatch.context() as patch:
            patch.setattr(Reading, "save", stop)
            try:
                assert _audit(shop, tmp_path) == whole
                assert not broken
                break
            except BrokenError:
                assert broken
                break
            except KeyboardInterrupt:
                stops += 1
                assert json.loads((tmp_path / "state.json").read_text())
    assert stops > 10


def test_it_reads_no_faster_than_it_may(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    """On a clock of its own: what it reads takes no time, and its pauses do."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    auditing = _auditing(shop, tmp_path, rate=100)
    reading = auditing.reading
    auditing.reading = Reading(reading.table, shop.tenant, reading.state, reading.file, 100, lambda: clock[0], sleep)
    auditing.run()
    units = auditing.reading.table.meter.read_units
    assert units / 100 - 0.3 <= clock[0] <= units / 100 + 0.001


@contextmanager
def _during(phases: Collection[str], other: Callable[[], Any]) -> Iterator[None]:
    """Let something happen whenever an audit enters one of these phases."""
    enter = Reading.enter

    def entering(self: Reading, phase: str) -> None:
        enter(self, phase)
        if phase in phases:
            other()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reading, "enter", entering)
        yield


def test_orders_that_move_during_the_audit_do_not_alarm(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    auditing = _auditing(shop, tmp_path)
    with _during({"stock"}, lambda: shop.move(trade["pending"], "cancel")):
        checked = auditing.run()
    assert (checked["stock"], checked["orders again"], auditing.unsettled) == (2, 4, [])


def test_an_order_refunded_while_it_is_looked_at_does_not_alarm(
    shop: Shop, rival: Shop, trade: dict[str, str], tmp_path: Path
) -> None:
    with interleaved(lambda: rival.move(trade["paid"], "refund"), before="TransactGetItems"):
        _audit(shop, tmp_path)


def test_steady_trade_does_not_alarm(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    """Whenever orders or stock are gone through, one more order was placed, paid and shipped that they do not show."""

    def sell() -> None:
        order = shop.order({trade["item"]: 1}).json["id"]
        shop.pay(order)
        shop.move(order, "ship")

    for phases in ({"stock"}, {"orders again", "stock"}, {"orders", "orders again", "stock", "stock again"}):
        auditing = _auditing(shop, tmp_path)
        with _during(phases, sell):
            auditing.run()
        assert (auditing.unsettled == []) == ("stock again" not in phases)


def test_trade_in_another_process_does_not_alarm(
    served: Shop, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three audits over the running server's table, while traders place, pay and ship all the time."""
    monkeypatch.undo()  # Only what is settled is certain while others post.
    item = served.add(stock=1000)["id"]
    served.post(f"/items/{item}/stock-buckets", {"count": 4})
    done = threading.Event()

    def trade(_: int) -> int:
        sold = 0
        while not done.is_set():
            order = served.order({item: 1}).json["id"]
            served.pay(order)
            sold += served.move(order, "ship").status == 200
        return sold

    endpoint = json.loads((server.data / RUNNING).read_text())["database"]
    local = boto3.Session("local", "local", region_name="eu-west-1")
    table = Table(local.client("dynamodb", endpoint_url=endpoint), "tradepost", Meter())
    with ThreadPoolExecutor(2) as traders:
        trading = [traders.submit(trade, n) for n in range(2)]
        try:
            for _ in range(3):
                Audit(table, served.tenant, tmp_path / "state.json", 1e6, Progress(disable=True)).run()
        finally:
            done.set()
    assert sum(each.result() for each in trading) > 0


def test_a_break_is_found_though_the_index_is_late_and_trade_goes_on_elsewhere(
    shop: Shop, trade: dict[str, str], tmp_path: Path
) -> None:
    auditing = _auditing(shop, tmp_path)
    other = shop.add(stock=9)["id"]
    _set(keys.stock(shop.tenant, trade["item"]), "SET on_hand = on_hand + :n, reserved = reserved + :n", n=1)
    traded = _during({"orders again"}, lambda: shop.order({other: 1}))
    with traded, pytest.raises(BrokenError, match="orders hold"):
        auditing.run()
