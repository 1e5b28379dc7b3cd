"""Files of records in each format."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from domain.exports import ExportFormat
from repositories.exports.datasets.records import Column, Record
from repositories.exports.files import Content


class Encode(Protocol):
    """What makes a file of records, which come in batches."""

    def __call__(
        self, columns: Sequence[Column], batches: Iterator[Sequence[Record]], *, spreadsheet_safe: bool
    ) -> Content:
        """Return the file."""


def encoder(name: ExportFormat) -> Encode:
    """Return what makes files in a format. Only what the format needs is imported."""
    found: dict[ExportFormat, Callable[[], Encode]] = {
        ExportFormat.CSV: _csv,
        ExportFormat.JSONL: _jsonl,
        ExportFormat.PARQUET: _parquet,
    }
    return found[name]()


def _csv() -> Encode:
    from repositories.exports.formats.csv_file import encode

    return encode


def _jsonl() -> Encode:
    from repositories.exports.formats.json_lines import encode

    return encode


def _parquet() -> Encode:
    from repositories.exports.formats.parquet import encode

    return encode
