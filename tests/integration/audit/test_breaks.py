"""Tests that the audit reports rows that were corrupted by hand."""

import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.audit import BrokenError
from repositories.aws.clients import dynamodb
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import decode, encode
from repositories.dynamodb.keys import Key
from repositories.dynamodb.work_list import Work
from repositories.ledger.posting import Draft
from repositories.ledger.rows import entry_locations, transaction_from_row
from repositories.orders.rows import StoredOrder
from tests.books import ledger
from tests.integration.audit.common import audit, change_row
from tests.shop import Shop


def test_a_shop_that_traded_is_in_order(shop: Shop, trade: dict[str, str], tmp_path: Path) -> None:
    checked = audit(shop, tmp_path)
    assert checked == {"chains": 22, "transactions": 10, "orders": 5, "stock": 2, "discounts": 1}
    assert not (tmp_path / "state.json").exists()


def test_an_empty_shop_is_in_order(shop: Shop, tmp_path: Path) -> None:
    assert audit(shop, tmp_path) == {}


def _drop(key: Key) -> None:
    dynamodb().delete_item(TableName="tradepost", Key=encode(key._asdict()))


def payment_key(tenant: str, order_id: str) -> Key:
    row = dynamodb().get_item(TableName="tradepost", Key=encode(keys.order(tenant, order_id)._asdict()))["Item"]
    paid_by = StoredOrder.from_row(decode(row)).paid_by
    assert paid_by
    return keys.payment(tenant, paid_by.payment_id)


def _drop_shard(tenant: str, made: dict[str, str]) -> None:
    """Remove a shard, but not the one to which another test's sweeper will release the pending order's units."""
    row = dynamodb().get_item(TableName="tradepost", Key=encode(keys.order(tenant, made["pending"])._asdict()))["Item"]
    [hold] = StoredOrder.from_row(decode(row)).holds
    _drop(keys.stock(tenant, made["item"], 1 if hold.shard == 2 else 2))


def _rewrite(tenant: str, transaction_id: str, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    """Change the entries of a transaction, also in their chains, and recompute the chains' balances."""
    key = keys.transaction(tenant, transaction_id)
    places = entry_locations(decode(dynamodb().get_item(TableName="tradepost", Key=encode(key._asdict()))["Item"]))
    fields = ("account", "direction", "amount", "currency", "stripe", "sequence")
    changed = change([dict(zip(fields, place, strict=True)) for place in places])
    for each in changed:
        if each.pop("swap", False):
            each["direction"] = "credit" if each["direction"] == "debit" else "debit"
    entries = zlib.compress(json.dumps([[each[name] for name in fields] for each in changed]).encode())
    change_row(key, "SET entries = :e", e=entries)
    for each in changed:
        _rechain(tenant, each)


def _rechain(tenant: str, changed: dict[str, Any]) -> None:
    at = keys.entry(tenant, changed["account"], changed["stripe"], changed["sequence"])
    change_row(at, "SET direction = :d, amount = :a", d=changed["direction"], a=changed["amount"])
    rows = dynamodb().query(
        TableName="tradepost",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :e)",
        ExpressionAttributeValues=encode({":pk": at.pk, ":e": "ENTRY"}),
    )["Items"]
    # Debits increase the shop's cash account, credits its sales account.
    cash = decode(
        dynamodb().get_item(TableName="tradepost", Key=encode(keys.account(tenant, changed["account"])._asdict()))[
            "Item"
        ]
    )["head"]["type"]
    grows, balance = "debit" if cash == "asset" else "credit", 0
    for row in map(decode, rows):
        balance += row["amount"] if row["direction"] == grows else -row["amount"]
        change_row(Key(row["pk"], row["sk"]), "SET balance = :b", b=balance)


def _repost(t: str, made: dict[str, str], change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    _rewrite(t, made["refund"], change)


def _pay_again(tenant: str, made: dict[str, str]) -> None:
    """Post the payment of an order again, with a transaction that is valid in itself."""
    row = dynamodb().get_item(
        TableName="tradepost", Key=encode(keys.transaction(tenant, made["payment_txn"])._asdict())
    )
    entries = transaction_from_row(decode(row["Item"])).entries
    ledger(tenant).post_draft(Draft("Payment again", entries, reference=made["paid"], order_id=made["paid"]))


_LATER = work_keys.due(Work.HOLD, "order_x", datetime(2040, 1, 1, tzinfo=UTC))
"""Due time far in the future, so that sweepers of other tests do not find the row."""


_COUNT = "SET on_hand = on_hand + :n, available = available + :n"


type Break = Callable[[str, dict[str, str]], None]


BREAKS: dict[str, tuple[Break, str]] = {
    "an entry lost": (lambda t, made: _drop(keys.entry(t, made["bank"], 0, 2)), "entry 2 is missing"),
    "the last entry lost": (lambda t, made: _drop(keys.entry(t, made["bank"], 0, 3)), "differ by"),
    "a balance changed": (
        lambda t, made: change_row(keys.entry(t, made["bank"], 0, 2), "SET balance = :b", b=31),
        "should be 30",
    ),
    "an amount changed": (
        lambda t, made: change_row(keys.entry(t, made["bank"], 0, 1), "SET amount = :a, balance = :a", a=11),
        "should be 31",
    ),
    "a time set back": (
        lambda t, made: change_row(
            keys.entry(t, made["bank"], 0, 3), "SET posted_at = :at", at="2020-01-01T00:00:00.000Z"
        ),
        "older than the one before",
    ),
    "an entry of another transaction": (
        lambda t, made: change_row(keys.entry(t, made["bank"], 0, 2), "SET transaction_id = :id", id="txn_other"),
        "missing, or another's",
    ),
    "a transaction lost": (lambda t, made: _drop(keys.transaction(t, made["txn"])), "transactions 20"),
    "a payment lost": (lambda t, made: _drop(payment_key(t, made["paid"])), "is not the one by which"),
    "a payment of another amount": (
        lambda t, made: change_row(payment_key(t, made["paid"]), "SET amount = :a", a=1),
        "not its total",
    ),
    "a payment that is not posted": (
        lambda t, made: change_row(payment_key(t, made["paid"]), "SET transaction_id = :id", id=None),
        "is not the one by which",
    ),
    "a payment that others posted": (
        lambda t, made: change_row(payment_key(t, made["paid"]), "SET transaction_id = :id", id=made["txn"]),
        "is not the one by which",
    ),
    "a refund that was not posted": (
        lambda t, made: change_row(keys.transaction(t, made["payment_txn"]), "SET head.reversed_by = :id", id="txn_x"),
        "txn_x is reversed, or reverses another, and is not there",
    ),
    "a refund whose order was not refunded": (
        lambda t, made: change_row(keys.transaction(t, made["refunded_txn"]), "REMOVE head.reversed_by"),
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
        lambda t, made: change_row(keys.transaction(t, made["refund"]), "REMOVE head.order_id"),
        "of different orders",
    ),
    "a payment that was posted twice": (lambda t, made: _pay_again(t, made), "not the one by which"),
    "an order that is gone": (lambda t, made: _drop(keys.order(t, made["paid"])), "is not there"),
    "a paid order off the list": (
        lambda t, made: change_row(keys.order(t, made["paid"]), "REMOVE gsi1pk, gsi1sk"),
        "is not in its list",
    ),
    "a pending order off the list": (
        lambda t, made: change_row(keys.order(t, made["pending"]), "REMOVE gsi1pk, gsi1sk"),
        "and orders hold",
    ),
    "an order off its customer's list": (
        lambda t, made: change_row(keys.order(t, made["paid"]), "REMOVE gsi2pk, gsi2sk"),
        "is not in its list",
    ),
    "a pending order off the work list": (
        lambda t, made: change_row(keys.order(t, made["pending"]), "REMOVE gsi3pk, gsi3sk"),
        "is not on the work list",
    ),
    "a pending order due at another time": (
        lambda t, made: change_row(keys.order(t, made["pending"]), "SET gsi3sk = :sk", sk=_LATER["gsi3sk"]),
        "is not on the work list",
    ),
    "a paid order on the work list": (
        lambda t, made: change_row(keys.order(t, made["paid"]), "SET gsi3pk = :gsi3pk, gsi3sk = :gsi3sk", **_LATER),
        "is on the work list by mistake",
    ),
    "an end with another balance": (
        lambda t, made: change_row(keys.entry(t, made["closed"], 0, 3), "SET balance = :b", b=7),
        "not as its last entry",
    ),
    "a closed account without an end": (
        lambda t, made: _drop(keys.entry(t, made["closed"], 0, 3)),
        "closed and has no end",
    ),
    "an end of an open account": (
        lambda t, made: change_row(keys.account(t, made["closed"]), "SET head.#s = :s", s="open"),
        "open and has an end",
    ),
    "an account that is gone": (lambda t, made: _drop(keys.account(t, made["bank"])), "registered and not there"),
    "a SKU that is not marked": (lambda t, _: _drop(keys.sku(t, "A")), "its SKU is not marked"),
    "a SKU that is marked as another's": (
        lambda t, _: change_row(keys.sku(t, "A"), "SET item_id = :id", id="item_x"),
        "its SKU is not marked",
    ),
    "an item off the list": (
        lambda t, made: change_row(keys.item(t, made["item"]), "REMOVE gsi1pk, gsi1sk"),
        "is not in its list",
    ),
    "an item that is gone": (lambda t, made: _drop(keys.item(t, made["item"])), "is not there"),
    "a shard that is gone": (_drop_shard, "stock rows, and"),
    "a shard too many": (
        lambda t, made: change_row(keys.stock(t, made["item"]), "SET bucket_rows = :n", n=2),
        "has 3 stock rows, and should have 2",
    ),
    "a shard with another price": (
        lambda t, made: change_row(keys.stock(t, made["item"], 2), "SET price = :p", p=1),
        "sells something else",
    ),
    "a shard that missed an edit": (
        lambda t, made: change_row(keys.stock(t, made["item"], 2), "SET edits = :e", e=9),
        "has not followed",
    ),
    "units that vanished": (
        lambda t, made: change_row(keys.stock(t, made["item"]), _COUNT, n=-1),
        "17 units are on hand and 2 were shipped, and 20 came in",
    ),
    "units that a shipment left": (
        lambda t, made: change_row(keys.stock(t, made["item"], 1), _COUNT, n=2),
        "20 units are on hand and 2 were shipped, and 20 came in",
    ),
    "units reserved by nobody": (
        lambda t, made: change_row(
            keys.stock(t, made["item"]), "SET reserved = reserved + :n, on_hand = on_hand + :n", n=1
        ),
        "orders hold",
    ),
    "a use of a code that no order has": (
        lambda t, made: change_row(keys.discount(t, made["discount"]), "SET uses = uses + :n", n=1),
        "it has 2 uses, and orders 1",
    ),
    "a use that is another customer's": (
        lambda t, made: change_row(keys.discount_use(t, made["discount"], made["user"]), "SET uses = uses - :n", n=1),
        "has 0 uses, and orders 1",
    ),
    "a discount that is gone": (
        lambda t, made: _drop(keys.discount(t, made["discount"])),
        "is listed and not there|which is not there",
    ),
    "a part refund that is not in the books": (
        lambda t, made: _drop(keys.transaction(t, made["part_txn"])),
        "differ|the books do not have refund_|transactions",
    ),
    "units that do not add up": (
        lambda t, made: change_row(keys.stock(t, made["item"], 1), "SET on_hand = on_hand + :n", n=1),
        "is not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_what_was_broken_by_hand_is_named(shop: Shop, trade: dict[str, str], tmp_path: Path, name: str) -> None:
    break_it, told = BREAKS[name]
    break_it(shop.tenant, trade)
    with pytest.raises(BrokenError, match=told):
        audit(shop, tmp_path)
