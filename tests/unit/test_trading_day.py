"""Tests of reading trading days: sales, credits, refused lines."""

from decimal import Decimal
from pathlib import Path

from cli.replay.credits import Customers, TakenBack
from cli.replay.invoices import Article, Credit, Day, Sale, read

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
NOON = "2010-12-01 12:00:00"
MUG, TRAY = Article("A", Decimal("1.00")), Article("B", Decimal("3.00"))


def _file(tmp_path: Path, *lines: str, name: str = "day") -> Path:
    path = tmp_path / f"{name}.csv"
    path.write_text(HEAD + "".join(f"{line}\n" for line in lines))
    return path


def _day(tmp_path: Path, *lines: str) -> Day:
    [day] = read([_file(tmp_path, *lines)])
    return day


def _taken_back(*days: Day) -> tuple[list[TakenBack], list[str]]:
    """Return all refunds that the days' credits come to, and the reasons of lines that match nothing."""
    customers, refunds, reasons = Customers(), list[TakenBack](), list[str]()
    for day in days:
        for step in day.steps:
            if isinstance(step, Sale):
                customers.bought(step)
            else:
                parts, refused = customers.match(step)
                refunds += parts
                reasons += [reason for _, reason in refused]
    return refunds, reasons


def test_an_invoice_is_an_order_of_its_articles(tmp_path: Path) -> None:
    day = _day(
        tmp_path,
        f"1,A,Mug,2,{NOON},2.55,17.0,UK",
        f"1,A,Mug,1,{NOON},2.55,17.0,UK",
        f"1,A,Mug,1,{NOON},2.10,17.0,UK",
        f"2,B,,5,{NOON},0.0,,UK",
    )
    cheap, dear, free = Article("A", Decimal("2.10")), Article("A", Decimal("2.55")), Article("B", Decimal("0.0"))
    assert [(sale.invoice, sale.customer, sale.units) for sale in day.sales] == [
        ("1", "17", {dear: 3, cheap: 1}),
        ("2", "", {free: 5}),
    ]
    assert (day.names[dear], day.names[free]) == ("Mug", "B")
    assert day.sold == {dear: 3, cheap: 1, free: 5}


def test_days_are_in_order_of_time_whatever_their_files_are_called(tmp_path: Path) -> None:
    late = _file(tmp_path, "2,A,Mug,1,2010-12-02 08:00:00,1.00,17.0,UK", name="a")
    early = _file(tmp_path, "1,A,Mug,1,2010-12-01 08:00:00,1.00,17.0,UK", name="b")
    assert [day.name for day in read([late, early])] == ["2010-12-01-b", "2010-12-02-a"]


def test_a_credit_takes_back_parts_of_the_customers_earlier_orders(tmp_path: Path) -> None:
    first = _day(
        tmp_path,
        f"1,A,Mug,5,{NOON},1.00,17.0,UK",
        f"1,B,Tray,1,{NOON},3.00,17.0,UK",
        f"2,A,Mug,1,{NOON},1.00,17.0,UK",
    )
    second = _day(
        tmp_path,
        f"C3,A,Mug,-3,{NOON},1.00,17.0,UK",
        f"C3,B,Tray,-1,{NOON},3.00,17.0,UK",
        f"C4,A,Mug,-2,{NOON},1.00,18.0,UK",
        f"C4,A,Mug,-2,{NOON},1.00,,UK",
        f"C5,A,Mug,-2,{NOON},1.01,17.0,UK",
        f"C5,A,Mug,-4,{NOON},1.00,17.0,UK",
        f"C5,Z,Jug,-1,{NOON},1.00,17.0,UK",
    )
    assert all(isinstance(step, Credit) for step in second.steps)
    refunds, reasons = _taken_back(first, second)
    # The last order first.
    assert [(each.sale.invoice, each.units) for each in refunds] == [("2", {MUG: 1}), ("1", {MUG: 2, TRAY: 1})]
    assert len({each.key for each in refunds}) == 2
    assert reasons == [
        "a credit for a customer without an earlier order in these files",
        "a credit without a customer",
        "an article that the customer bought at another price",
        "more than is left of what the customer bought in these files",
        "an article that the customer did not buy in these files",
    ]


def test_credits_of_postage_fees_and_discounts(tmp_path: Path) -> None:
    day = _day(
        tmp_path,
        f"1,A,Mug,5,{NOON},1.00,17.0,UK",
        f"1,POST,POSTAGE,1,{NOON},18.0,17.0,UK",
        f"2,A,Mug,5,{NOON},1.00,17.0,UK",
        f"C3,POST,POSTAGE,-1,{NOON},18.0,17.0,UK",
        f"C3,POST,POSTAGE,-1,{NOON},18.0,17.0,UK",
        f"C3,D,Discount,-1,{NOON},2.50,17.0,UK",
        f"C4,M,Manual,-1,{NOON},2.00,17.0,UK",
        f"C5,D,Discount,-1,{NOON},5.01,17.0,UK",
        f"C6,A,Mug,-5,{NOON},1.00,17.0,UK",
    )
    refunds, reasons = _taken_back(day)
    assert [(each.sale.invoice, each.kind, each.money) for each in refunds] == [
        ("1", "articles", {"shipping": Decimal("18.0")}),
        ("2", "discount", {"discount": Decimal("2.50")}),
        ("2", "fee", {"fee": Decimal("2.00")}),
        # Of the last order, only 0.50 is left.
        ("1", "articles", {"articles": Decimal("5.00")}),
    ]
    assert reasons == [
        "postage that no earlier order of the customer has",
        "a discount that exceeds what is left of the customer's orders of articles",
    ]


def test_more_items_than_an_order_may_have_are_linked_orders(tmp_path: Path) -> None:
    day = _day(tmp_path, *(f"1,A{n},Mug,1,{NOON},1.00,17.0,UK" for n in range(200)))
    assert [len(sale.units) for sale in day.sales] == [90, 90, 20]
    assert day.sales[0].note == "Invoice 1, part 1 of 3"
    assert len({sale.key for sale in day.sales}) == 3


def test_corrections_are_no_sales(tmp_path: Path) -> None:
    day = _day(tmp_path, f"1,A,,-10,{NOON},0.0,,UK", f"2,A,Bad debt,1,{NOON},-5.0,,UK")
    assert day.steps == []
    assert [number for number, _ in day.refused] == [2, 3]


def test_postage_fees_and_discounts_are_charges_of_the_invoices_first_order(tmp_path: Path) -> None:
    day = _day(
        tmp_path,
        f"1,A,Mug,5,{NOON},1.00,17.0,UK",
        f"1,POST,POSTAGE,3,{NOON},18.0,17.0,UK",
        f"1,M,Manual,1,{NOON},1.25,17.0,UK",
        f"1,D,Discount,1,{NOON},0.50,17.0,UK",
        f"2,POST,POSTAGE,1,{NOON},15.0,18.0,UK",
    )
    assert [(sale.invoice, len(sale.units), [each.kind for each in sale.charges]) for sale in day.sales] == [
        ("1", 1, ["shipping", "fee", "discount"]),
        ("2", 1, []),  # An order has lines, so that postage alone is an article.
    ]
    assert day.charged == {"shipping": Decimal("54.0"), "fee": Decimal("1.25"), "discount": Decimal("0.50")}
