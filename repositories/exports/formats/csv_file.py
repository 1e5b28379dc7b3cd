"""CSV (RFC 4180): UTF-8 with a header, lines end with CRLF, None is empty, lists are JSON text."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from repositories.exports.datasets.records import Column, Kind, Record
from repositories.exports.files import Content

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of text that spreadsheets take for formulas (OWASP, "CSV Injection")."""
MEDIA_TYPE = "text/csv; charset=utf-8"


def encode(columns: Sequence[Column], batches: Iterator[Sequence[Record]], *, spreadsheet_safe: bool) -> Content:
    """Return the file. Unless `spreadsheet_safe` is off, text that could be a formula begins with an apostrophe."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(column.name for column in columns)
    shown = [_text_of(column.kind, spreadsheet_safe=spreadsheet_safe) for column in columns]
    for records in batches:
        writer.writerows([show(value) for show, value in zip(shown, record, strict=True)] for record in records)
    return Content(file.getvalue().encode(), MEDIA_TYPE)


def _text_of(kind: Kind, *, spreadsheet_safe: bool) -> Callable[[Any], Any]:
    if kind is Kind.ITEMS:
        return lambda value: json.dumps(value, separators=(",", ":"))
    if kind is Kind.TEXT and spreadsheet_safe:
        return _harmless
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _harmless(text: str | None) -> str | None:
    return f"'{text}" if text and text.startswith(_FORMULA) else text
