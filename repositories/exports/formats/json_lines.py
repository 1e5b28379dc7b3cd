"""JSON Lines (https://jsonlines.org), compressed by gzip: an object a line, amounts and times as text."""

import gzip
import json
from collections.abc import Iterator, Sequence
from io import BytesIO

from repositories.exports.datasets.records import Column, Record
from repositories.exports.files import Content

MEDIA_TYPE = "application/gzip"


def encode(columns: Sequence[Column], batches: Iterator[Sequence[Record]], *, spreadsheet_safe: bool) -> Content:  # noqa: ARG001 - for CSV only
    """Return the file."""
    names = [column.name for column in columns]
    file = BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as lines:
        for records in batches:
            text = "".join(_line(names, record) for record in records)
            lines.write(text.encode())
    return Content(file.getvalue(), MEDIA_TYPE)


def _line(names: Sequence[str], record: Record) -> str:
    line = dict(zip(names, record, strict=True))
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
