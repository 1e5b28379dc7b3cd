"""Tests of reading a trading day: sales, cancellations, refused lines."""

from decimal import Decimal
from pathlib import Path

from cli.replay.invoices import Article, Sale, read

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
NOON = "2010-12-01 12:00:00"


def _file(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "day.csv"
    path.write_text(HEAD + "".join(f"{line}\n" for line in lines))
    return path


def test_an_invoice_is_an_order_of_its_articles(tmp_path: Path) -> None:
    day = read(
        _file(
            tmp_path,
            f"1,A,Mug,2,{NOON},2.55,17.0,UK",
            f"1,A,Mug,1,{NOON},2.55,17.0,UK",
            f"1,A,Mug,1,{NOON},2.10,17.0,UK",
            f"2,B,,5,{NOON},0.0,,UK",
        )
    )
    cheap, dear, free = Article("A", Decimal("2.10")), Article("A", Decimal("2.55")), Article("B", Decimal("0.0"))
    assert [(sale.invoice, sale.customer, sale.units) for sale in day.sales] == [
        ("1", "17", {dear: 3, cheap: 1}),
        ("2", "", {free: 5}),
    ]
    assert (day.names[dear], day.names[free]) == ("Mug", "B")
    assert day.sold == (9, Decimal("9.75"))
    assert day.demand == {dear: 3, cheap: 1, free: 5}


def test_what_is_cancelled_becomes_an_order_of_its_own_to_refund(tmp_path: Path) -> None:
    day = read(
        _file(
            tmp_path,
            f"1,A,Mug,5,{NOON},1.00,17.0,UK",
            f"1,B,Tray,1,{NOON},3.00,17.0,UK",
            f"C2,A,Mug,-2,{NOON},1.00,17.0,UK",
            f"C2,B,Tray,-1,{NOON},3.00,17.0,UK",
            f"C3,A,Mug,-2,{NOON},1.00,18.0,UK",
            f"C3,A,Mug,-2,{NOON},1.01,17.0,UK",
            f"C4,A,Mug,-4,{NOON},1.00,17.0,UK",
        )
    )
    mug, tray = Article("A", Decimal("1.00")), Article("B", Decimal("3.00"))
    kept, back, cancellation = day.steps
    assert isinstance(kept, Sale)
    assert isinstance(back, Sale)
    assert (kept.units, kept.cancelled_by) == ({mug: 3}, "")
    assert (back.units, back.cancelled_by) == ({mug: 2, tray: 1}, "C2")
    assert cancellation == "C2"
    assert (kept.note, back.note) == ("Invoice 1, part 1 of 2", "Invoice 1, part 2 of 2")
    assert day.returned == (3, Decimal("5.00"))
    assert [number for number, _ in day.refused] == [6, 7, 8]


def test_more_items_than_an_order_may_have_are_linked_orders(tmp_path: Path) -> None:
    day = read(_file(tmp_path, *(f"1,A{n},Mug,1,{NOON},1.00,17.0,UK" for n in range(200))))
    assert [len(sale.units) for sale in day.sales] == [90, 90, 20]
    assert day.sales[0].note == "Invoice 1, part 1 of 3"
    assert len({sale.key for sale in day.sales}) == 3


def test_corrections_are_no_sales(tmp_path: Path) -> None:
    day = read(_file(tmp_path, f"1,A,,-10,{NOON},0.0,,UK", f"2,A,Bad debt,1,{NOON},-5.0,,UK"))
    assert day.steps == []
    assert [number for number, _ in day.refused] == [2, 3]


def test_postage_and_fees_are_charges_of_the_invoices_first_order(tmp_path: Path) -> None:
    day = read(
        _file(
            tmp_path,
            f"1,A,Mug,5,{NOON},1.00,17.0,UK",
            f"1,POST,POSTAGE,3,{NOON},18.0,17.0,UK",
            f"1,M,Manual,1,{NOON},1.25,17.0,UK",
            f"2,POST,POSTAGE,1,{NOON},15.0,18.0,UK",
            f"C3,A,Mug,-2,{NOON},1.00,17.0,UK",
        )
    )
    assert [(sale.invoice, len(sale.units), [each.kind for each in sale.charges]) for sale in day.sales] == [
        ("1", 1, ["shipping", "fee"]),
        ("1", 1, []),
        ("2", 1, []),  # An order has lines, so that postage alone is an article.
    ]
    assert day.charged == {"shipping": Decimal("54.0"), "fee": Decimal("1.25")}
    assert day.sold == (6, Decimal("20.00"))
