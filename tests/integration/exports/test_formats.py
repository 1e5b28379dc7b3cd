"""Files as other software reads them: what goes in comes out, to the cent and to the letter."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.exports import ExportFormat
from repositories.exports.datasets.records import Column, Kind, Record
from repositories.exports.files import Content
from repositories.exports.formats.encoding import encoder
from tests.integration.exports.exporting import read

COLUMNS = (
    Column("name"),
    Column("count", Kind.NUMBER),
    Column("amount", Kind.MONEY),
    Column("currency"),
    Column("rate", Kind.RATE),
    Column("day", Kind.DAY),
    Column("at", Kind.TIME),
    Column("items", Kind.ITEMS),
)
_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)
_MONEY = st.tuples(st.integers(-(10**20), 10**20), st.sampled_from([0, 2, 3, 4])).map(
    lambda each: f"{Decimal(each[0]).scaleb(-each[1]):.{each[1]}f}"
)
_ITEMS = st.lists(st.fixed_dictionaries({"product_id": _TEXT, "quantity": st.integers(1, 10**9)}), max_size=3)
_TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
)
RECORDS = st.lists(
    st.tuples(
        st.none() | _TEXT,
        st.none() | st.integers(-(2**62), 2**62),
        st.none() | _MONEY,
        st.sampled_from(["EUR", "JPY", "KWD"]),
        st.none() | st.integers(0, 10**6).map(lambda each: str(Decimal(each).scaleb(-6))),
        st.none() | st.dates(date(1900, 1, 1), date(2200, 1, 1)).map(date.isoformat),
        st.none() | _TIMES,
        _ITEMS,
    ),
    max_size=20,
)


def encoded(form: str, records: Sequence[Record], *, safe: bool = False) -> Content:
    """Return a file of records, which come in two batches."""
    half = len(records) // 2
    batches = iter([records[:half], records[half:]])
    return encoder(ExportFormat(form))(COLUMNS, batches, spreadsheet_safe=safe)


@settings(max_examples=100, deadline=None)
@given(RECORDS)
def test_what_goes_in_comes_out_of_every_format(records: list[Record]) -> None:
    names = [column.name for column in COLUMNS]
    lines = [json.loads(line) for line in gzip.decompress(encoded("jsonl", records).data).decode().split("\n")[:-1]]
    assert lines == [dict(zip(names, record, strict=True)) for record in records]
    rows = [*csv.DictReader(io.StringIO(encoded("csv", records).data.decode(), newline=""))]
    assert rows == [_as_csv(dict(zip(names, record, strict=True))) for record in records]
    assert read("parquet", encoded("parquet", records).data) == [
        _as_parquet(dict(zip(names, record, strict=True))) for record in records
    ]


def _as_csv(line: dict[str, Any]) -> dict[str, str]:
    shown = {name: "" if value is None else str(value) for name, value in line.items()}
    return shown | {"items": json.dumps(line["items"], separators=(",", ":"))}


def _as_parquet(line: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Callable[[str], Any]] = {
        "amount": Decimal,
        "rate": Decimal,
        "day": date.fromisoformat,
        "at": datetime.fromisoformat,
    }
    return {name: made[name](value) if name in made and value is not None else value for name, value in line.items()}


@settings(max_examples=20, deadline=None)
@given(RECORDS)
def test_the_same_records_are_the_same_file(records: list[Record]) -> None:
    for form in ExportFormat:
        assert encoded(form, records) == encoded(form, records)


_ITEM = {"product_id": "a", "quantity": 2}
SOME: list[Record] = [
    (
        "=1+1",
        3,
        "12.99",
        "EUR",
        "0.190000",
        "2026-12-01",
        "2026-12-01T08:00:00.123Z",
        [_ITEM],
    ),
    ('Käse, "alt"', None, "90071992547409.93", "EUR", None, None, "1999-12-31T23:59:59.999Z", []),
    (None, 1, "7", "JPY", "1", "1970-01-01", None, [_ITEM, _ITEM]),
]


def test_duckdb_pandas_and_pyarrow_agree(tmp_path: Path) -> None:
    file = tmp_path / "some.parquet"
    file.write_bytes(encoded("parquet", SOME).data)
    with duckdb.connect() as database:
        found = database.execute(f"SELECT sum(amount), count(*), sum(len(items)) FROM '{file}'").fetchone()  # noqa: S608
        types = dict(database.execute(f"SELECT name, type FROM parquet_schema('{file}')").fetchall())  # noqa: S608
    total = Decimal("12.99") + Decimal("90071992547409.93") + 7
    assert found == (total, 3, 3)
    assert types["amount"] == "FIXED_LEN_BYTE_ARRAY"
    table = pyarrow.parquet.read_table(file)
    kinds = {field.name: str(field.type) for field in table.schema}
    assert (kinds["amount"], kinds["at"], kinds["day"]) == ("decimal128(38, 4)", "timestamp[ms, tz=UTC]", "date32[day]")
    assert sum(table["amount"].to_pylist()) == total
    assert sum(pandas.read_parquet(file)["amount"]) == total
    metadata = pyarrow.parquet.ParquetFile(file).metadata
    assert metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("safe", [True, False])
def test_other_readers_of_csv_find_the_same_text(tmp_path: Path, safe: bool) -> None:
    file = tmp_path / "some.csv"
    file.write_bytes(encoded("csv", SOME, safe=safe).data)
    names = ["'=1+1" if safe else "=1+1", 'Käse, "alt"', None]
    frame = pandas.read_csv(file, dtype=str, keep_default_na=False)
    assert [each or None for each in frame["name"]] == names
    assert [*frame["amount"]] == ["12.99", "90071992547409.93", "7"]
    with duckdb.connect() as database:
        rows = database.execute(f"SELECT name, amount FROM read_csv('{file}', all_varchar = true)").fetchall()  # noqa: S608
    assert rows == [*zip(names, ["12.99", "90071992547409.93", "7"], strict=True)]
