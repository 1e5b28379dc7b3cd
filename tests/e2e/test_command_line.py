"""Commands of the README, run as by a developer."""

import gzip
import json
import re
from csv import DictReader
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cli.commands.running import RUNNING
from domain.orders.status import OrderStatus
from handlers.registry import RouteFunction, TriggerFunction, functions, triggers
from tests.conftest import Server
from tests.e2e.commands import tradepost
from tests.integration.exports.exporting import read
from tests.people import new_tenant
from tests.shop import Shop, new_item


def test_a_printed_token_opens_the_door(server: Server) -> None:
    done = tradepost("token", "--tenant", "acme", "--role", "customer", "--data", str(server.data))
    shop = server.shop("acme")
    assert shop.call("GET", "/items", token=done.stdout.strip()).status == 200
    assert shop.call("POST", "/items", new_item(), token=done.stdout.strip()).code == "FORBIDDEN"


def test_a_catalogue_is_loaded_once_and_nothing_is_dropped(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text(
        "StockCode,Description,Quantity,UnitPrice\n"
        "A,LANTERN,6,3.39\n"
        "A,LANTERN,-6,3.49\n"
        "B,,1,0.0\n"
        "BANK CHARGES,Bank Charges,1,15.0\n"
        "C,HEART,1,-1\n"
        ",NAMELESS,1,1\n"
        'D," MUG, RED ",0,0.0\n'
    )
    options = ["--currency", "GBP", "--url", f"{server.url}/v1", "--data", str(server.data), "--tenant", "csv-shop"]
    first = tradepost("import", "items", str(file), *options)
    assert first.returncode == 0, first.stderr
    for line in ("no name (line 4)", "no SKU (line 7)", "/price/amount"):
        assert line in first.stdout
    shop = server.shop("csv-shop")
    items = {item["sku"]: item for item in shop.walk(50)}
    assert set(items) == {"A", "BANK CHARGES", "D"}
    assert items["A"]["price"]["amount"] == "3.49"
    assert items["D"]["name"] == "MUG, RED"
    again = tradepost("import", "items", str(file), *options)
    assert re.search(r"items created +│ 0", again.stdout)
    assert re.search(r"items already there +│ 3", again.stdout)
    assert re.search(r"lines replaced by a later one of their SKU +│ 1", again.stdout)
    assert len(shop.walk(50)) == 3


SOME_TRIGGERS = [each for each in triggers() if each.name in {"ExpireHolds", "PreTokenGeneration"}]
SOME_ROUTES = [each for each in functions() if each.name in {"PlaceOrder", "CreateTenant", "GetHealth", "GetExport"}]
"""A few functions; tests/runtime calls all of them under Lambda's own runtime."""


@pytest.mark.parametrize("function", SOME_TRIGGERS, ids=lambda function: function.name)
def test_an_event_of_a_trigger_is_answered(function: TriggerFunction) -> None:
    done = tradepost("invoke", function.name, str(function.event))
    assert done.returncode == 0, done.stderr
    event, answer = json.loads(function.event.read_text()), json.loads(done.stdout)
    assert answer == {"expired": 0, "bookings": 0} or answer["userName"] == event["userName"]
    assert "@example.com" not in done.stderr


def test_an_owner_signs_in_and_works(server: Server) -> None:
    tenant = new_tenant(owner={"email": "Olga@Example.com", "name": "Olga"})
    assert server.operator.call("POST", "/tenants", tenant).status == 201
    options = ("login", "--tenant", tenant["id"], "--data", str(server.data), "--email")
    done = tradepost(*options, "olga@example.com")
    assert done.returncode == 0, done.stderr
    shop = server.shop(tenant["id"])
    me = shop.call("GET", "/users/me", token=done.stdout.strip()).json
    assert (me["email"], me["role"]) == ("Olga@Example.com", "owner")
    for refused in ((*options, "nobody@example.com"), (*options, "olga@example.com", "--password", "wrong")):
        assert tradepost(*refused).returncode == 1


def test_users_can_sign_in_after_a_restart(tmp_path: Path) -> None:
    first = Server(tmp_path)
    first.operator.call("POST", "/tenants", new_tenant(id="kept"))
    assert "access key for operators" in first.log
    first.stop()
    second = Server(tmp_path)
    try:
        done = tradepost("login", "--tenant", "kept", "--data", str(tmp_path), "--email", "owner@example.com")
        assert second.shop("kept").call("GET", "/users/me", token=done.stdout.strip()).status == 200
    finally:
        second.stop()
    assert "access key for operators" not in second.log


@pytest.mark.parametrize("function", SOME_ROUTES, ids=lambda function: function.name)
def test_an_event_is_answered(function: RouteFunction) -> None:
    done = tradepost("invoke", function.name, str(function.event))
    assert done.returncode == 0, done.stderr
    response = json.loads(done.stdout)
    assert response["statusCode"] == function.declaration.status
    [line] = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    event = json.loads(function.event.read_text())
    assert line["request_id"] == event["requestContext"]["requestId"]


def test_the_examples_in_the_openapi_document_are_what_the_functions_return() -> None:
    done = tradepost("openapi", "--check")
    assert done.returncode == 0, done.stderr


def test_an_unknown_function_is_named_with_those_there_are() -> None:
    done = tradepost("invoke", "Nonsense", str(functions()[0].event))
    assert done.returncode == 2
    assert "CreateItem" in done.stderr


def test_trading_days_are_replayed_once_and_their_sums_agree(server: Server, tmp_path: Path) -> None:
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    noon = "2010-12-01 12:00:00"
    lines = [f"536365,A{n},Mug {n},{n},{noon},2.55,17850.0,UK" for n in range(1, 96)]
    lines += [f"536365,POST,POSTAGE,1,{noon},18.0,17850.0,UK", f"536366,A1,Mug,2,{noon},2.10,,UK"]
    noon = "2010-12-02 12:00:00"
    back = [f"C536400,A5,Mug 5,-4,{noon},2.55,17850.0,UK", f"C536400,D,Discount,-1,{noon},1.5,17850.0,UK"]
    back += [f"C536400,POST,POSTAGE,-1,{noon},18.0,17850.0,UK", f"C536401,A6,Mug,-1,{noon},2.55,18.0,UK"]
    back += [f"536402,A5,Mug 5,1,{noon},2.55,17850.0,UK"]
    files = [tmp_path / "second.csv", tmp_path / "first.csv"]
    for file, rows in zip(files, (back, lines), strict=True):
        file.write_text("\n".join([head, *rows, ""]))
    shop = server.shop()
    replay = ("replay", *map(str, files), "--currency", "GBP", "--tenant", shop.tenant)
    options = ("--url", f"{server.url}/v1", "--data", str(server.data))
    for _ in range(2):
        done = tradepost(*replay, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.count("agrees") == 15
        assert "1 refused: a credit for a customer without an earlier order in these files" in done.stdout
    orders = shop.walk(50, "/orders?")
    assert sorted((order["status"], order["payment_status"]) for order in orders) == [
        ("shipped", "paid"),
        ("shipped", "paid"),
        ("shipped", "partially_refunded"),
        ("shipped", "partially_refunded"),
    ]
    [user] = shop.get("/users?email=customer-17850@example.com").json["items"]
    assert [order["customer_id"] == user["id"] for order in orders].count(True) == 3
    taken = sum(round(float(order["total"]["amount"]) * 100) for order in orders)
    assert taken == 255 * sum(range(1, 96)) + 1800 + 420 + 255
    refunded = sum(round(float(order["refunded_total"]["amount"]) * 100) for order in orders)
    assert refunded == 4 * 255 + 1800 + 150


def test_books_are_audited_and_printed(server: Server) -> None:
    shop = server.shop()
    item = shop.add(stock=5)
    for _ in range(2):
        shop.pay(shop.order({item["id"]: 1}).json["id"])
    done = tradepost("audit", "--tenant", shop.tenant, "--data", str(server.data))
    assert (done.returncode, "All agree" in done.stdout) == (0, True), done.stderr
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    options = ("--from", today, "--to", today, "--tenant", shop.tenant)
    place = ("--url", f"{server.url}/v1", "--data", str(server.data))
    csv = tradepost("statement", "--account", "shop.cash.EUR", *options, *place, "--csv")
    opening, first, second, total, closing = DictReader(csv.stdout.splitlines())
    assert (opening["line"], opening["balance"], closing["balance"]) == ("opening", "0.00", "25.98")
    assert [(each["debit"], each["balance"]) for each in (first, second)] == [("12.99", "12.99"), ("12.99", "25.98")]
    assert first["description"].startswith("Payment")
    assert (total["debit"], total["credit"]) == ("25.98", "0.00")
    table = tradepost("statement", "--account", "shop.sales.EUR", *options, *place)
    assert re.search(r"Opening balance.* 0.00", table.stdout)
    assert re.search(r"Total.* 0.00 .* 25.98", table.stdout)
    assert re.search(r"Closing balance.* 25.98", table.stdout)
    assert tradepost("statement", "--account", "nonsense", *options, *place).returncode == 1


def test_commands_find_the_server_by_its_folder(server: Server, tmp_path: Path) -> None:
    place = ("--data", str(server.data), "--tenant", server.shop().tenant)
    status = json.loads(tradepost("status", "--data", str(server.data), "--json").stdout)
    assert status["url"] == f"{server.url}/v1"
    assert (server.data / RUNNING).stat().st_mode & 0o777 == 0o600
    file = tmp_path / "file.csv"
    rows = "sku;name;price;units;colour;tax;text\nA;Caf\xe9;1.00;7;red;reduced;Good\nB;Tea;2.00;many;;;\n"
    file.write_bytes(rows.encode("cp1252"))
    wrong = tradepost("import", "items", str(file), "--currency", "EUR", *place)
    assert (wrong.returncode, "no column StockCode" in wrong.stderr) == (1, True), wrong.stderr
    columns = ("--sku", "sku", "--name", "name", "--price", "price")
    more = ("--stock", "units", "--attribute", "colour", "--tax-class", "tax", "--description", "text")
    done = tradepost("import", "items", str(file), "--currency", "EUR", *columns, *more, *place)
    assert done.returncode == 0, done.stderr
    assert "1 refused: the stock 'many' is not a whole number (line 3)" in done.stdout
    assert "Loading 1 items: 1 of 1" in done.stderr
    shop = server.shop(place[3])
    item = shop.item(shop.get("/items?sku=A").json["items"][0]["id"])
    assert (item["name"], item["stock"]["on_hand"], item["tax_class"]) == ("Caf\xe9", 7, "reduced")
    assert (item["attributes"], item["description"]) == ({"colour": "red"}, "Good")
    refused = tradepost("import", "items", str(file), "--currency", "XYZ", *columns, *place)
    assert refused.returncode == 1
    missing = tradepost("statement", "--account", "nope", "--from", "2026-11-01", "--to", "2026-11-02", *place)
    assert (missing.returncode, "There is no account nope" in missing.stderr) == (1, True)


def test_a_shop_to_look_at_is_made_once(tmp_path: Path) -> None:
    server = Server(tmp_path, "--memory")
    place = ("--data", str(tmp_path))
    try:
        done = tradepost("seed", *place)
        assert done.returncode == 0, done.stderr
        login = tradepost("login", "--tenant", "demo", "--email", "owner@demo.test", *place)
        shop = server.shop("demo")
        orders = shop.walk(200, "/orders?")
        assert {each["status"] for each in orders} == set(OrderStatus)
        me = shop.call("GET", "/users/me", token=login.stdout.strip()).json
        assert (me["role"], len(shop.walk(50))) == ("owner", 41)
        assert len({each["created_at"][:10] for each in orders}) >= 30
        audit = tradepost("audit", "--tenant", "demo", *place)
        assert (audit.returncode, "All agree" in audit.stdout) == (0, True), audit.stderr
        _is_reported(shop, tmp_path, ("--tenant", "demo", *place))
        again = tradepost("seed", *place)
        assert (again.returncode, "There is a tenant demo" in again.stderr) == (1, True)
        for domain in ("shop.test", "shop.local", "shop.localhost", "shop.example"):
            user = {"email": f"sam@{domain}", "name": "Sam", "role": "customer"}
            assert shop.post("/users", user).status == 201
    finally:
        server.stop()


def _is_reported(shop: Shop, folder: Path, place: tuple[str, ...]) -> None:
    """A shop's orders are exported in every format, and its sales and an account reported as pages."""
    today = datetime.now(UTC).date()
    expected = [each["id"] for each in shop.walk(200, f"/orders?to={today}")]
    for form, name in (("csv", "orders.csv"), ("jsonl", "orders.jsonl"), ("parquet", "orders.parquet")):
        file = folder / name
        done = tradepost("export", "orders", "--to", str(today), "--format", form, "--output", str(file), *place)
        assert done.returncode == 0, done.stderr
        content = gzip.compress(file.read_bytes()) if form == "jsonl" else file.read_bytes()
        assert [each["order_id"] for each in reversed(read(form, content))] == expected
    page, first = folder / "sales.html", str(today - timedelta(days=40))
    done = tradepost("report", "sales", "--from", first, "--html", str(page), *place)
    assert done.returncode == 0, done.stderr
    net = sum(Decimal(row["net"]["amount"]) for row in shop.get(f"/stats/sales?from={first}").json["rows"])
    assert f"{net:,}" in done.stdout
    text = page.read_text()
    assert (text.count("<svg"), f"{net:,}" in text, "<script" in text) == (2, True, False)
    assert set(re.findall("https?://[^/]+", text)) <= {"http://www.w3.org"}
    statement = folder / "bank.html"
    period = ("--from", first, "--to", str(today))
    done = tradepost("statement", "--account", "bank", *period, "--html", str(statement), *place)
    assert done.returncode == 0, done.stderr
    [bank] = [each for each in shop.get("/ledger/trial-balance").json["accounts"] if each["code"] == "bank"]
    assert f"<td>{Decimal(bank['debit']) - Decimal(bank['credit'])}</td></tr>" in statement.read_text()


def test_an_import_of_long_texts_takes_several_requests(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("sku,name,price,text\n" + "".join(f"L{n},Book,1.00,{'x' * 9_000}\n" for n in range(60)), "utf-16")
    shop = server.shop()
    columns = ("--sku", "sku", "--name", "name", "--price", "price", "--description", "text")
    place = ("--currency", "EUR", "--tenant", shop.tenant, "--data", str(server.data))
    done = tradepost("import", "items", str(file), *columns, *place)
    assert done.returncode == 0, done.stderr
    assert len(shop.walk(200)) == 60


def test_a_folder_that_was_there_stays_as_it_is_with_memory(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    server = Server(tmp_path, "--memory")
    assert server.stop() == 0
    assert tmp_path.stat().st_mode & 0o777 == 0o755
