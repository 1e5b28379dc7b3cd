"""The audit finds whatever is broken by hand, and nothing where nothing is."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from domain.model import now
from infra.local import audit
from infra.local.audit import Audit, BrokenError
from repositories import keys
from repositories.clients import dynamodb
from repositories.keys import Key
from repositories.rows import encode
from repositories.table import Meter, Table
from tests.books import account, transfer
from tests.faults import interleaved
from tests.shop import Shop


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just posted counts as settled."""
    monkeypatch.setattr(audit, "now", lambda: now() + timedelta(seconds=40))


@pytest.fixture
def trade(shop: Shop) -> dict[str, str]:
    """A shop that has sold a little, refunded, and kept books."""
    item = shop.add(stock=20)["id"]
    shop.post(f"/items/{item}/stock-buckets", {"count": 3})
    orders = [shop.order({item: 2}).json["id"] for _ in range(4)]
    payments = [shop.pay(order).json for order in orders[:3]]
    shop.move(orders[1], "refund")
    shop.move(orders[2], "ship")
    bank, fund = account(shop, floor="0"), account(shop, "equity")
    txn = [transfer(shop, bank, fund, minor).json["id"] for minor in (10, 20, 30)][1]
    return {
        "item": item,
        "paid": orders[0],
        "refunded": orders[1],
        "pending": orders[3],
        "bank": bank,
        "txn": txn,
        "payment_txn": payments[0]["transaction_id"],
    }


def _audit(shop: Shop, tmp_path: Path, rate: float = 1e6) -> dict[str, int]:
    table = Table(dynamodb(), "tradepost", Meter())
    with Progress(disable=True) as bar:
        return Audit(table, shop.tenant, tmp_path / "state.json", rate, bar).run()


def test_a_shop_that_traded_is_in_order(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    checked = _audit(shop, tmp_path)
    assert checked == {"chains": 14, "transactions": 7, "orders": 4, "stock": 1}
    assert not (tmp_path / "state.json").exists()


def test_an_empty_shop_is_in_order(shop: Shop, tmp_path: Path) -> None:
    assert _audit(shop, tmp_path) == {}


def _set(key: Key, change: str, **values: Any) -> None:
    dynamodb().update_item(
        TableName="tradepost",
        Key=encode(key._asdict()),
        UpdateExpression=change,
        ExpressionAttributeValues=encode({f":{name}": value for name, value in values.items()}),
    )


def _drop(key: Key) -> None:
    dynamodb().delete_item(TableName="tradepost", Key=encode(key._asdict()))


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
    "a transaction lost": (lambda t, made: _drop(keys.transaction(t, made["txn"])), "transactions 12"),
    "a payment lost": (lambda t, made: _drop(keys.payment(t, made["paid"], 1)), "without a payment"),
    "a payment of another amount": (
        lambda t, made: _set(keys.payment(t, made["paid"], 1), "SET amount = :a", a=1),
        "not its total",
    ),
    "a payment that is not posted": (
        lambda t, made: _set(keys.payment(t, made["paid"], 1), "SET transaction_id = :id", id=None),
        "is not posted",
    ),
    "a payment that others posted": (
        lambda t, made: _set(keys.payment(t, made["paid"], 1), "SET transaction_id = :id", id=made["txn"]),
        "do not have its payment",
    ),
    "a refund that was not posted": (
        lambda t, made: _set(keys.transaction(t, made["payment_txn"]), "SET head.reversed_by = :id", id="txn_x"),
        "says otherwise",
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
    monkeypatch.setattr(audit, "PAGE", 2)
    whole = _audit(shop, tmp_path)
    save = Audit._save
    stops = 0

    def stop(self: Audit) -> None:
        save(self)
        raise KeyboardInterrupt

    table = keys.stock(shop.tenant, trade["item"])
    if broken:
        _set(table, "SET reserved = reserved + :n, on_hand = on_hand + :n", n=1)
    while True:
        with monkeypatch.context() as patch:
            patch.setattr(Audit, "_save", stop)
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
    started = time.monotonic()
    table = Table(dynamodb(), "tradepost", Meter())
    with Progress(disable=True) as bar:
        Audit(table, shop.tenant, tmp_path / "state.json", 100, bar).run()
    assert table.meter.read_units / (time.monotonic() - started) <= 130


def test_orders_that_move_during_the_audit_do_not_alarm(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    table = Table(dynamodb(), "tradepost", Meter())
    with Progress(disable=True) as bar:
        auditing = Audit(table, shop.tenant, tmp_path / "state.json", 1e6, bar)
        check = auditing._check_stock

        def meanwhile() -> Any:
            shop.move(trade["pending"], "cancel")
            return check()

        auditing._check_stock = meanwhile  # type: ignore[method-assign]
        checked = auditing.run()
    assert (checked["stock"], checked["orders again"]) == (1, 4)


def test_an_order_refunded_while_it_is_looked_at_does_not_alarm(
    shop: Shop, rival: Shop, trade: dict[str, str], tmp_path: Path
) -> None:
    with interleaved(lambda: rival.move(trade["paid"], "refund"), before="TransactGetItems"):
        _audit(shop, tmp_path)
