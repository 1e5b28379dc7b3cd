"""HTTP client and CSV helpers of the commands that use the running API."""

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

_ATTEMPTS = 5
_FIRST_SERVER_ERROR = 500


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
        """Return the JSON response of a GET request. Raises httpx.HTTPError."""
        return self._counted(self._http.get(path, params=query)).raise_for_status().json()

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
    return answer.status_code >= _FIRST_SERVER_ERROR or (answer.is_error and answer.json()["code"] == "CONTENTION")


def rows_of(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a CSV file with a header, each with its line number."""
    with file.open(newline="", encoding="utf-8-sig") as text:
        reader = csv.DictReader(text)
        for row in reader:
            yield reader.line_num, row


def reason_of(problem: dict[str, Any]) -> str:
    """Return the reason for a refusal, from the API's problem document."""
    flaws = [f"{each['pointer']}: {each['detail']}" for each in problem["errors"]]
    return "; ".join(flaws) or str(problem["detail"])
