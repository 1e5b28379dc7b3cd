"""HTTP client and CSV helpers of the commands that use the running API."""

import codecs
import csv
import io
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

_ATTEMPTS = 5
_FIRST_SERVER_ERROR = 500


class ApiError(Exception):
    """Refusal of the API: its detail, and each thing that is wrong with the request."""


@dataclass(slots=True)
class Spent:
    """Cost of the requests so far: calls to the API and to the table, and capacity units."""

    calls: int = 0
    db_requests: int = 0
    reads: float = 0
    writes: float = 0


class Client:
    """API client with one bearer token. Commands carry an idempotency key, so that retries are safe."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self.spent = Spent()

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._http.close()

    def get(self, path: str, **query: str) -> Any:
        """Return the JSON response of a GET request. Raises httpx.HTTPError, ApiError."""
        answer = self._counted(self._http.get(path, params=query))
        return json_of(successful(answer))

    def post(self, path: str, body: Any, key: str) -> httpx.Response:
        """Send a command; retry transport errors, server errors and CONTENTION. Raises httpx.HTTPError."""
        for attempt in range(_ATTEMPTS - 1):
            try:
                answer = self._post(path, body, key)
            except httpx.TransportError:
                continue
            if not _is_passing(answer):
                return answer
            time.sleep(0.05 * 2**attempt)
        return self._post(path, body, key)

    def _post(self, path: str, body: Any, key: str) -> httpx.Response:
        return self._counted(self._http.post(path, json=body, headers={"Idempotency-Key": key}))

    def _counted(self, answer: httpx.Response) -> httpx.Response:
        self.spent.calls += 1
        self.spent.db_requests += int(answer.headers.get("X-Db-Requests", 0))
        self.spent.reads += float(answer.headers.get("X-Capacity-Read", 0))
        self.spent.writes += float(answer.headers.get("X-Capacity-Write", 0))
        return answer


def _is_passing(answer: httpx.Response) -> bool:
    return answer.status_code >= _FIRST_SERVER_ERROR or '"CONTENTION"' in answer.text


def successful(answer: httpx.Response) -> httpx.Response:
    """Return a response that is a success. Raises ApiError for any other."""
    if answer.is_error:
        is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
        raise ApiError(reason_of(answer.json()) if is_problem else f"{answer.status_code} {answer.text[:200]}")
    return answer


def json_of(answer: httpx.Response) -> Any:
    """Return the JSON of a response. Raises ApiError for anything else."""
    try:
        return answer.json()
    except ValueError:
        raise ApiError(f"{answer.url} does not answer as the API of Tradepost does.") from None


FAILURES = (httpx.HTTPError, ApiError, LookupError)
"""Errors of commands that use the API, which `failed` explains."""


def failed(error: Exception, url: str) -> str:
    """Return the message for one of `FAILURES`."""
    if isinstance(error, httpx.HTTPError):
        return f"The API at {url} did not answer: {error}"
    return str(error.args[0])


def rows_of(file: Path, *required: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV file with a header, each with its line number.

    The separator is found, and the encoding: UTF-8, UTF-16 with its mark, or else Windows-1252, as spreadsheets write
    it. Raises LookupError if a required column is missing, or if it is no CSV file.
    """
    text = _decoded(file.read_bytes())
    reader = csv.DictReader(io.StringIO(text, newline=""), dialect=_dialect(text))
    try:
        yield from _rows(file, reader, required)
    except csv.Error as error:
        raise LookupError(f"{file} is no CSV file that can be read: {error}.") from None


def _rows(file: Path, reader: "csv.DictReader[str]", required: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    there = reader.fieldnames or ()
    missing = [name for name in required if name not in there]
    if missing:
        raise LookupError(
            f"{file} has no column {' and no '.join(missing)}. Its columns are: {', '.join(there) or 'none'}."
        )
    for row in reader:
        yield reader.line_num, row


def _decoded(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _dialect(text: str) -> type[csv.Dialect] | csv.Dialect:
    head = text.partition("\n")[0]
    return max((csv.excel, _Semicolons, csv.excel_tab), key=lambda each: head.count(each.delimiter))


class _Semicolons(csv.excel):
    delimiter = ";"


def reason_of(problem: dict[str, Any]) -> str:
    """Return the reason for a refusal, from the API's problem document."""
    flaws = [f"{each['pointer']}: {each['detail']}" for each in problem["errors"]]
    return "; ".join(flaws) or str(problem["detail"])
