"""Tests of every read of several rows, torn in every way."""

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from itertools import combinations, count
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from cli import audit
from repositories.aws.clients import dynamodb
from repositories.dynamodb.table import Meter, Table
from tests.books import account, entry, post, transfer
from tests.faults import torn
from tests.integration.consistency.booking_scene import BOOKINGS
from tests.integration.consistency.scenes import Act, Keys, Scene
from tests.shop import Answer, Shop


def _split(n: int) -> Act:
    return lambda shop, made: shop.post(f"/items/{made['item']}/stock-buckets", {"count": n}, key=made["key"])


def _item(shop: Shop) -> dict[str, Any]:
    """Add an item with 20 units in two shards, 12 of them reserved."""
    item = shop.add(stock=20, sku="A")
    shop.post(f"/items/{item['id']}/stock-buckets", {"count": 2})
    order = shop.order({item["id"]: 12}).json["id"]
    return {"item": item["id"], "order": order, "etag": shop.get(f"/items/{item['id']}").etag, "key": "k"}


ITEMS = Scene(
    _item,
    {
        "get": lambda shop, made: shop.get(f"/items/{made['item']}"),
        "patch": lambda shop, made: shop.patch(f"/items/{made['item']}", {"name": "Mine"}, made["etag"]),
        "archive": lambda shop, made: shop.delete(f"/items/{made['item']}", made["etag"]),
        "count in": lambda shop, made: shop.adjust(made["item"], 5, key=made["key"]),
        "count out": lambda shop, made: shop.adjust(made["item"], -7, key=made["key"]),
        "split to 4": _split(4),
        "split to 1": _split(1),
        "order": lambda shop, made: shop.order({made["item"]: 7}, key=made["key"]),
    },
    {
        "split to 4": _split(4),
        "split to 1": _split(1),
        "count out": lambda shop, made: shop.adjust(made["item"], -3),
        "price": lambda shop, made: shop.patch(f"/items/{made['item']}", {"price": {"amount": "1.00"}}, "*"),
        "order": lambda shop, made: shop.order({made["item"]: 6}),
        "cancel": lambda shop, made: shop.move(made["order"], "cancel"),
    },
)


def _order(*moves: str) -> Callable[[Shop], dict[str, Any]]:
    def prepare(shop: Shop) -> dict[str, Any]:
        item = shop.add(stock=20)
        order = shop.order({item["id"]: 3}).json["id"]
        for each in moves:
            (shop.pay(order) if each == "pay" else shop.move(order, each))
        return {"item": item["id"], "order": order, "key": "k"}

    return prepare


def _move(name: str) -> Act:
    return lambda shop, made: shop.move(made["order"], name, key=made["key"])


def _pay(shop: Shop, made: dict[str, Any]) -> Answer:
    return shop.pay(made["order"], key=made["key"])


def _trial(shop: Shop, made: dict[str, Any]) -> Answer:
    return shop.get("/ledger/trial-balance")


PENDING = Scene(_order(), {"pay": _pay, "cancel": _move("cancel"), "refund": _move("refund"), "trial balance": _trial})


PAID = Scene(_order("pay"), {"refund": _move("refund"), "ship": _move("ship"), "pay": _pay, "trial balance": _trial})


def _part(path: str) -> Act:
    def act(shop: Shop, made: dict[str, Any]) -> Answer:
        lines = [{"item_id": made["item"], "quantity": 2}]
        return shop.post(f"/orders/{made['order']}/{path}", {"lines": lines}, key=made["key"] or "other")

    return act


PARTS = Scene(
    _order("pay"),
    {"ship two": _part("shipments"), "refund two": _part("refunds"), "refund": _move("refund")},
    {"ship two": _part("shipments"), "refund two": _part("refunds")},
)


def _code(shop: Shop) -> dict[str, Any]:
    """Add a code that one more order may use, and an order that used it."""
    item = shop.add(stock=20)["id"]
    discount = shop.post("/discounts", {"code": "TEN", "percent": "10", "max_uses": 2}).json
    order = shop.order({item: 3}, discount_code="TEN").json["id"]
    path = f"/discounts/{discount['id']}"
    return {"item": item, "order": order, "path": path, "etag": shop.get(path).etag, "key": "k"}


def _use_code(shop: Shop, made: dict[str, Any]) -> Answer:
    return shop.order({made["item"]: 1}, key=made["key"], discount_code="ten")


CODES = Scene(
    _code,
    {
        "order": _use_code,
        "cancel": _move("cancel"),
        "limit": lambda shop, made: shop.patch(made["path"], {"max_uses": 1}, made["etag"]),
        "get": lambda shop, made: shop.get(made["path"]),
    },
    {
        "order": _use_code,
        "cancel": _move("cancel"),
        "limit": lambda shop, made: shop.patch(made["path"], {"max_uses": 1}, "*"),
        "archive": lambda shop, made: shop.delete(made["path"], "*"),
    },
)


def _two_orders(shop: Shop) -> dict[str, Any]:
    """Place two orders in a shop without payments, and so without ledger accounts."""
    made = _order()(shop)
    return made | {"other": shop.order({made["item"]: 2}).json["id"]}


FIRST_PAYMENT = Scene(
    _two_orders,
    {"pay": _pay, "trial balance": _trial},
    {"pay the other": lambda shop, made: shop.pay(made["other"])},
)


def _books(shop: Shop) -> dict[str, Any]:
    """Open accounts with floors and balances, and an empty account."""
    bank, fund, till = (
        account(shop, floor="0"),
        account(shop, "equity"),
        account(shop, floor="0"),
    )
    empty = account(shop)
    transfer(shop, till, fund, 5)
    paid_in = transfer(shop, bank, fund, 10).json["id"]
    return {"bank": bank, "fund": fund, "till": till, "empty": empty, "txn": paid_in, "key": "k"}


def _spend(shop: Shop, made: dict[str, Any]) -> Answer:
    return transfer(shop, made["fund"], made["bank"], 7, key=made["key"])


def _turn_over(shop: Shop, made: dict[str, Any]) -> Answer:
    """Post a transaction with two entries in each of two chains."""
    bank, fund = made["bank"], made["fund"]
    pairs = [(bank, "debit", 9), (bank, "credit", 4), (fund, "credit", 9), (fund, "debit", 4)]
    return post(shop, *(entry(*pair) for pair in pairs))


def _reverse(shop: Shop, made: dict[str, Any]) -> Answer:
    return shop.post(f"/ledger/transactions/{made['txn']}/reverse", None, key=made["key"])


BOOKS = Scene(
    _books,
    {
        "spend": _spend,
        "reverse": _reverse,
        "close": lambda shop, made: shop.post(f"/ledger/accounts/{made['empty']}/close", None, key=made["key"]),
        "balance": lambda shop, made: shop.get(f"/ledger/accounts/{made['bank']}/balance"),
        "entries": lambda shop, made: shop.get(f"/ledger/accounts/{made['bank']}/entries?limit=2"),
        "trial balance": _trial,
    },
    {
        "spend": lambda shop, made: transfer(shop, made["fund"], made["bank"], 8),
        "turn over": _turn_over,
        "reverse": lambda shop, made: shop.post(f"/ledger/transactions/{made['txn']}/reverse", None),
        "there and back": lambda shop, made: post(
            shop, *(entry(made[name], side, 1) for name in ("empty", "fund") for side in ("debit", "credit"))
        ),
        "open": lambda shop, _: shop.post(
            "/ledger/accounts", {"code": "new", "name": "New", "type": "asset", "currency": "EUR"}
        ),
    },
)


SCENES = {
    "items": ITEMS,
    "pending": PENDING,
    "paid": PAID,
    "parts": PARTS,
    "codes": CODES,
    "first payment": FIRST_PAYMENT,
    "books": BOOKS,
    "bookings": BOOKINGS,
}


def _ways(changed: int) -> list[Collection[int]]:
    """Return the sets of changed rows to show: each alone, all but one, all; all subsets of up to three rows."""
    sizes = range(1, changed + 1) if changed <= 3 else {1, changed - 1, changed}
    return [set(shown) for size in sizes for shown in combinations(range(changed), size)]


def _said(answer: Answer) -> tuple[Any, ...]:
    """Return the part of an answer that depends on the state: status, code, totals, entry numbers, balance."""
    shown = answer.json if answer.body else {}
    if not isinstance(shown, dict) or answer.code:
        return answer.status, answer.code
    totals = [(each["debit"], each["credit"]) for each in shown.get("totals", []) if float(each["debit"])]
    entries = [each["sequence"] for each in shown["items"]] if "items" in shown else None
    balance = shown["balance"]["amount"] if "balance" in shown else None
    return answer.status, str(totals), str(entries), balance


def _sequential(scene: Scene, shop: Shop, command: str, other: str) -> set[tuple[Any, ...]]:
    """Return the command's answers when run before and after the other command."""
    said = set()
    for first in (None, other):
        here = Shop(shop.send)
        made = scene.prepare(here)
        if first:
            scene.other(first)(here, made | {"key": ""})
        said.add(_said(scene.commands[command](here, made)))
    return said


def _require_order(shop: Shop, tmp_path: Path) -> None:
    with Progress(disable=True) as bar:
        audit.Audit(Table(dynamodb(), "tradepost", Meter()), shop.tenant, tmp_path / "state", 1e6, bar).run()


@pytest.mark.parametrize(
    ("scene", "command", "other"), [pair for name, scene in SCENES.items() for pair in scene.pairs(name)]
)
def test_half_a_transaction_is_never_believed(
    shop: Shop, rival: Shop, tmp_path: Path, scene: Scene, command: str, other: str
) -> None:
    possible = _sequential(scene, shop, command, other)
    for at in count():
        ways: list[Collection[int]] | None = None
        while ways is None or ways:
            here = Shop(shop.send)
            made = scene.prepare(here)
            elsewhere = replace(here, send=rival.send)

            def run(elsewhere: Shop = elsewhere, made: dict[str, Any] = made) -> None:
                scene.other(other)(elsewhere, made | {"key": ""})

            chosen = ways.pop() if ways else set()
            with torn(run, partial(_at, chosen), at=at) as met:
                answer = scene.commands[command](here, made)
            if met.reads <= at:
                return
            told = (at, met.changed, chosen, answer.body)
            assert _said(answer) in possible, told
            _require_order(here, tmp_path)
            again = scene.commands[command](here, made)
            if "idempotent-replayed" in again.headers:
                assert again.body == answer.body, told
            if ways is None:
                ways = _ways(len(met.changed))


def _at(places: Collection[int], changed: Keys) -> list[tuple[str, str]]:
    """Return the rows at these positions: ids differ between runs, positions do not."""
    return [key for place, key in enumerate(changed) if place in places]
