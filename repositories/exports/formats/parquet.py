"""Parquet, compressed by zstd. Amounts are cast from decimal text, so that they are never binary fractions."""

from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import accumulate
from typing import Any

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema, list_array, struct_array
from arro3.io import write_parquet

from repositories.exports.datasets.records import Column, Kind, Record
from repositories.exports.files import Content

MEDIA_TYPE = "application/vnd.apache.parquet"
_DECIMAL = DataType.decimal128(38, 4)
"""Type of amounts. It is the same for all currencies (the most digits are four), so that files of different
shops and days have one schema."""
_ITEM = [Field("product_id", DataType.string(), nullable=False), Field("quantity", DataType.int64(), nullable=False)]
_ROW_GROUP = 50_000


def encode(columns: Sequence[Column], batches: Iterator[Sequence[Record]], *, spreadsheet_safe: bool) -> Content:  # noqa: ARG001 - for CSV only
    """Return the file."""
    schema = Schema([Field(column.name, _types()[column.kind], nullable=True) for column in columns])
    arrays = [_ARRAYS[column.kind] for column in columns]

    def table(records: Sequence[Record]) -> RecordBatch:
        values = zip(*records, strict=True)
        return RecordBatch.from_arrays([make(each) for make, each in zip(arrays, values, strict=True)], schema=schema)

    reader = RecordBatchReader.from_batches(schema, (table(records) for records in batches if records))
    file = BytesIO()
    write_parquet(reader, file, compression="zstd(3)", max_row_group_size=_ROW_GROUP)
    return Content(file.getvalue(), MEDIA_TYPE)


def _types() -> dict[Kind, DataType]:
    return {
        Kind.TEXT: DataType.string(),
        Kind.NUMBER: DataType.int64(),
        Kind.MONEY: _DECIMAL,
        Kind.RATE: DataType.decimal128(38, 6),
        Kind.DAY: DataType.date32(),
        Kind.TIME: DataType.timestamp("ms", tz="UTC"),
        Kind.ITEMS: DataType.list(Field("item", DataType.struct(_ITEM), nullable=False)),
    }


def _text(values: Sequence[Any]) -> Array:
    return Array(values, DataType.string())


def _cast(kind: Kind) -> Callable[[Sequence[Any]], Array]:
    wanted = _types()[kind]
    return lambda values: _text(values).cast(wanted)


def _items(values: Sequence[list[dict[str, Any]]]) -> Array:
    ends = Array([0, *accumulate(len(each) for each in values)], DataType.int32())
    flat = [item for each in values for item in each]
    parts = [_text([item["product_id"] for item in flat]), Array([item["quantity"] for item in flat], DataType.int64())]
    return list_array(ends, struct_array(parts, fields=_ITEM), type=_types()[Kind.ITEMS])


_ARRAYS: dict[Kind, Callable[[Sequence[Any]], Array]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: lambda values: Array(values, DataType.int64()),
    Kind.MONEY: _cast(Kind.MONEY),
    Kind.RATE: _cast(Kind.RATE),
    Kind.DAY: _cast(Kind.DAY),
    Kind.TIME: _cast(Kind.TIME),
    Kind.ITEMS: _items,
}
