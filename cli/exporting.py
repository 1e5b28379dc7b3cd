"""Export through the API into one file: begin it, wait for it, download its parts and join them."""

import gzip
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

import httpx

from cli.api_client import ApiError, Client, json_of, successful

_PAUSE_SECONDS = 1.0
_WAITING = {"queued", "running"}


def begun(client: Client, wanted: dict[str, Any]) -> dict[str, Any]:
    """Begin an export and return it. Raises httpx.HTTPError, ApiError."""
    shown: dict[str, Any] = json_of(successful(client.post("exports", wanted, uuid4().hex)))
    return shown


def progressing(client: Client, export_id: str) -> Iterator[dict[str, Any]]:
    """Yield the export now and then, until it is finished. Raises httpx.HTTPError, ApiError if it has failed."""
    while True:
        shown = client.get(f"exports/{export_id}")
        yield shown
        if shown["status"] == "succeeded":
            return
        if shown["status"] not in _WAITING:
            raise ApiError(shown["error"] or f"The export was {shown['status']}.")
        time.sleep(_PAUSE_SECONDS)


def downloaded(files: Sequence[dict[str, Any]], form: str, target: Path) -> None:
    """Write the files of an export into one, which appears when it is whole. Raises httpx.HTTPError, ApiError."""
    fresh = target.with_name(f"{target.name}.part")
    try:
        with fresh.open("wb") as out:
            _JOIN[form]((_content(each) for each in files), out, target)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _content(file: dict[str, Any]) -> bytes:
    answer = successful(httpx.get(file["url"], timeout=60))
    if hashlib.sha256(answer.content).hexdigest() != file["sha256"]:
        raise ApiError(f"{file['name']} did not arrive as it was written.")
    return answer.content


def _join_csv(contents: Iterator[bytes], out: BinaryIO, _: Path) -> None:
    for number, content in enumerate(contents):
        header, end, rows = content.partition(b"\r\n")
        out.write(header + end + rows if number == 0 else rows)


def _join_json_lines(contents: Iterator[bytes], out: BinaryIO, target: Path) -> None:
    """Write lines, compressed if the name of the file says so; compressed files can be joined as they are."""
    out.writelines(content if target.suffix == ".gz" else gzip.decompress(content) for content in contents)


def _join_parquet(contents: Iterator[bytes], out: BinaryIO, _: Path) -> None:
    first, *others = contents
    if not others:
        out.write(first)
        return
    from arro3.core import RecordBatchReader
    from arro3.io import read_parquet, write_parquet

    tables = [read_parquet(BytesIO(each)).read_all() for each in (first, *others)]
    batches = (batch for table in tables for batch in table.to_batches())
    write_parquet(RecordBatchReader.from_batches(tables[0].schema, batches), out, compression="zstd(3)")


_JOIN: dict[str, Callable[[Iterator[bytes], BinaryIO, Path], None]] = {
    "csv": _join_csv,
    "jsonl": _join_json_lines,
    "parquet": _join_parquet,
}
