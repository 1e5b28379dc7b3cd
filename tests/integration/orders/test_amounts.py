"""Tests of what an order comes to: charges, shipping options, tax, quotes, and how it is posted."""

from typing import Any

import pytest

from tests.integration.orders.taxed import ADDRESS, OPTIONS, RATES, Open, eur
from tests.people import Operator, new_tenant
from tests.shop import Shop


def _sums(order: dict[str, Any]) -> dict[str, str]:
    names = ("subtotal", "discount_total", "shipping_total", "tax_total", "total")
    return {name: order[name]["amount"] for name in names}


def test_an_order_without_extras_has_no_tax_and_no_charges(shop: Shop) -> None:
    order = shop.order({shop.add(stock=5)["id"]: 2}).json
    assert _sums(order) == {
        "subtotal": "25.98",
        "discount_total": "0.00",
        "shipping_total": "0.00",
        "tax_total": "0.00",
        "total": "25.98",
    }
    assert (order["charges"], order["taxes"], order["shipping_address"], order["attributes"]) == ([], [], None, {})
    assert (order["prices_include_tax"], order["refunded_total"]) == (False, eur("0.00"))


def test_tax_is_added_by_country_and_class(open_shop: Open) -> None:
    shop = open_shop()
    tea = shop.add(price=eur("10"), stock=9)
    book = shop.add(price=eur("5"), stock=9, tax_class="zero")
    order = shop.order({tea["id"]: 3, book["id"]: 1}, shipping_address=ADDRESS, shipping_option="parcel").json
    assert [(line["tax_rate"], line["tax"]) for line in order["lines"]] == [("0.2", eur("6.00")), ("0", eur("0.00"))]
    # No rate for shipping in GB: the standard one.
    assert order["charges"] == [
        {
            "kind": "shipping",
            "label": "Parcel",
            "amount": eur("4.90"),
            "discount": eur("0.00"),
            "tax_rate": "0.2",
            "tax": eur("0.98"),
        }
    ]
    assert order["taxes"] == [
        {"name": "VAT 20%", "rate": "0.2", "amount": eur("6.98")},
        {"name": "VAT 0%", "rate": "0", "amount": eur("0.00")},
    ]
    assert _sums(order) == {
        "subtotal": "35.00",
        "discount_total": "0.00",
        "shipping_total": "4.90",
        "tax_total": "6.98",
        "total": "46.88",
    }
    assert order["shipping_address"] == ADDRESS | {"line2": None, "region": None}
    assert shop.get(f"/orders/{order['id']}").json == order


@pytest.mark.parametrize(
    ("country", "line", "shipping"),
    [("DE", "0.19", "0.07"), ("FR", "0.1", "0.1"), (None, "0.1", "0.1")],
)
def test_shipping_has_a_class_of_its_own_and_other_countries_the_rate_of_any(
    open_shop: Open, country: str | None, line: str, shipping: str
) -> None:
    shop = open_shop()
    address: Any = {"shipping_address": ADDRESS | {"country": country}} if country else {}
    order = shop.order({shop.add(stock=9)["id"]: 1}, shipping_option="parcel", **address).json
    assert (order["lines"][0]["tax_rate"], order["charges"][0]["tax_rate"]) == (line, shipping)


def test_a_class_without_a_rate_is_not_taxed(open_shop: Open) -> None:
    shop = open_shop()
    order = shop.order({shop.add(stock=9, tax_class="exempt")["id"]: 1}, shipping_address=ADDRESS).json
    assert (order["lines"][0]["tax_rate"], order["taxes"], order["tax_total"]) == (None, [], eur("0.00"))


def test_prices_may_include_tax(open_shop: Open) -> None:
    shop = open_shop(included=True)
    order = shop.order({shop.add(price=eur("11.90"), stock=9)["id"]: 1}, shipping_address=ADDRESS | {"country": "DE"})
    assert order.json["prices_include_tax"] is True
    assert (order.json["tax_total"], order.json["total"]) == (eur("1.90"), eur("11.90"))


def test_an_items_new_tax_class_is_that_of_the_next_order(open_shop: Open) -> None:
    shop = open_shop()
    item = shop.add(stock=9)
    shop.post(f"/items/{item['id']}/stock-buckets", {"count": 3}, key="split")
    shop.patch(f"/items/{item['id']}", {"tax_class": "zero"}, "*")
    assert shop.order({item["id"]: 1}, shipping_address=ADDRESS).json["lines"][0]["tax_rate"] == "0"


def test_a_shipping_option_may_be_free_and_only_for_some_countries(open_shop: Open) -> None:
    shop = open_shop()
    item = shop.add(price=eur("25"), stock=9)
    for units, amount in ((1, "4.90"), (2, "0.00")):
        order = shop.order({item["id"]: units}, shipping_option="free", shipping_address=ADDRESS).json
        assert order["charges"][0]["amount"] == eur(amount)
    for fields, code in (
        ({"shipping_option": "drone"}, "SHIPPING_OPTION_UNKNOWN"),
        ({"shipping_option": "free"}, "SHIPPING_OPTION_UNAVAILABLE"),
        ({"shipping_option": "free", "shipping_address": ADDRESS | {"country": "DE"}}, "SHIPPING_OPTION_UNAVAILABLE"),
        ({"shipping_option": "dollars"}, "CURRENCIES_MIXED"),
    ):
        refused = shop.order({item["id"]: 1}, **fields)
        assert (refused.code, refused.pointers) == ("VALIDATION_ERROR", ["/shipping_option"])
        assert refused.json["errors"][0]["code"] == code


def test_charges_are_added_and_discounts_subtracted_from_all(open_shop: Open) -> None:
    shop = open_shop()
    item = shop.add(price=eur("10"), stock=9)
    charges = [
        {"kind": "shipping", "label": "Courier", "amount": eur("5")},
        {"kind": "fee", "label": "Gift wrapping", "amount": eur("5")},
        {"kind": "discount", "label": "Loyalty", "amount": eur("3")},
    ]
    order = shop.order({item["id"]: 1}, charges=charges, shipping_address=ADDRESS).json
    shown = [(each["kind"], each["discount"]["amount"], each["tax"]["amount"]) for each in order["charges"]]
    assert shown == [("shipping", "0.75", "0.85"), ("fee", "0.75", "0.85"), ("discount", "0.00", "0.00")]
    assert (order["lines"][0]["discount"], order["lines"][0]["tax"]) == (eur("1.50"), eur("1.70"))
    assert _sums(order) == {
        "subtotal": "10.00",
        "discount_total": "3.00",
        "shipping_total": "5.00",
        "tax_total": "3.40",
        "total": "20.40",
    }


def test_a_total_is_never_below_zero(shop: Shop) -> None:
    item = shop.add(price=eur("10"), stock=9)
    free = shop.order({item["id"]: 1}, charges=[{"kind": "discount", "label": "Gift", "amount": eur("10")}])
    assert (free.status, free.json["total"]) == (201, eur("0.00"))
    refused = shop.order({item["id"]: 1}, charges=[{"kind": "discount", "label": "Gift", "amount": eur("10.01")}])
    assert (refused.status, refused.code, refused.pointers) == (400, "VALIDATION_ERROR", ["/charges"])
    assert shop.stock(item["id"])[1] == 1


def test_charges_are_for_staff_and_in_the_orders_currency(shop: Shop) -> None:
    item = shop.add(stock=9)
    charge = {"kind": "fee", "label": "Gift wrapping", "amount": eur("2")}
    for role, status in (("customer", 403), ("staff", 201)):
        for path, expected in (("/orders", status), ("/orders/quote", min(status, 200) if status == 201 else status)):
            body = {"lines": [{"item_id": item["id"], "quantity": 1}], "charges": [charge]}
            assert shop.acting_as(role).post(path, body, key=role + path).status == expected
    other = shop.order({item["id"]: 1}, charges=[charge | {"amount": {"amount": "2", "currency": "USD"}}])
    assert (other.code, other.pointers) == ("VALIDATION_ERROR", ["/charges/0/amount"])


def test_a_quote_is_what_the_order_comes_to_and_writes_nothing(open_shop: Open) -> None:
    shop = open_shop()
    item = shop.add(price=eur("10"), stock=1)
    body = {
        "lines": [{"item_id": item["id"], "quantity": 3}],
        "shipping_address": ADDRESS,
        "shipping_option": "parcel",
        "charges": [{"kind": "discount", "label": "Loyalty", "amount": eur("3")}],
    }
    quote = shop.post("/orders/quote", body)
    assert quote.status == 200, quote.body
    assert quote.writes == 0
    assert shop.stock(item["id"]) == (1, 0, 1)  # more than there are is quoted all the same
    shop.adjust(item["id"], 9)
    placed = shop.post("/orders", body, key="k").json
    assert {name: placed[name] for name in quote.json} == quote.json
    missing = shop.post("/orders/quote", {"lines": [{"item_id": "item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D9", "quantity": 1}]})
    assert (missing.status, missing.pointers) == (404, ["/lines/0/item_id"])


def test_an_expected_total_that_is_another_is_refused(open_shop: Open) -> None:
    shop = open_shop()
    item = shop.add(price=eur("10"), stock=9)
    refused = shop.order({item["id"]: 1}, expected_total=eur("10"))
    assert (refused.status, refused.code, refused.pointers) == (409, "PRICE_CHANGED", ["/expected_total"])
    assert shop.stock(item["id"])[1] == 0
    assert shop.order({item["id"]: 1}, expected_total=eur("11")).status == 201


def test_lines_of_an_item_have_no_more_units_than_stock_can_have(shop: Shop) -> None:
    item = shop.add(price=eur("0.01"))["id"]
    lines = [{"item_id": item, "quantity": 1_000_000_000}, {"item_id": item, "quantity": 1}]
    refused = shop.post("/orders", {"lines": lines}, key="k")
    assert (refused.status, refused.pointers) == (400, ["/lines/1/quantity"])


def test_lists_show_the_sums_and_free_fields(open_shop: Open) -> None:
    shop = open_shop()
    attributes = {"channel": "fair", "stand": 7}
    placed = shop.order(
        {shop.add(price=eur("10"), stock=9)["id"]: 1}, shipping_option="parcel", attributes=attributes, note="Ring"
    ).json
    [entry] = shop.get("/orders").json["items"]
    hidden = {"lines", "charges", "taxes", "shipping_address", "shipments", "refunds", "history"}
    assert entry == {name: value for name, value in placed.items() if name not in hidden}
    assert (entry["attributes"], entry["note"]) == (attributes, "Ring")
    too_large = shop.order({placed["lines"][0]["item_id"]: 1}, attributes={"text": "x" * 4096})
    assert (too_large.status, too_large.pointers) == (400, ["/attributes"])


def test_settings_of_tax_are_validated(operator: Operator) -> None:
    rate = RATES[0]
    for settings, pointer in (
        ({"tax": {"rates": [rate | {"rate": "1.1"}]}}, "/settings/tax/rates/0/rate"),
        ({"tax": {"rates": [rate | {"rate": 0.2}]}}, "/settings/tax/rates/0/rate"),
        ({"tax": {"rates": [rate | {"country": "XX"}]}}, "/settings/tax/rates/0/country"),
        ({"tax": {"rates": [rate, rate]}}, "/settings/tax/rates"),
        ({"shipping_options": [OPTIONS[0], OPTIONS[0]]}, "/settings/shipping_options"),
        ({"shipping_options": [OPTIONS[0] | {"countries": []}]}, "/settings/shipping_options/0/countries"),
    ):
        refused = operator.call("POST", "/tenants", new_tenant(settings=settings))
        assert (refused.status, refused.pointers) == (400, [pointer]), settings


def test_rates_are_replaced_and_other_settings_stay(operator: Operator, open_shop: Open) -> None:
    shop = open_shop(included=True)
    patch = {"settings": {"tax": {"rates": RATES[:1]}}}
    changed = operator.call("PATCH", f"/tenants/{shop.tenant}", patch, If_Match="*").json["settings"]
    assert changed["tax"] == {"prices_include_tax": True, "rates": RATES[:1]}
    assert len(changed["shipping_options"]) == len(OPTIONS)
