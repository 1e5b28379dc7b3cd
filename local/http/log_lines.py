"""Log lines for people: the JSON lines of functions, shortened."""

import io
import json
from datetime import datetime
from typing import Any, TextIO

_PROBLEMS = {"WARNING", "ERROR", "CRITICAL"}
_SHOWN = ("tenant", "sub", "expired")


class ReadableLog(io.TextIOBase):
    """Text stream that shortens JSON log lines and passes all others on.

    A line about a request is left out: the server writes one for each request, whether it reached a function or not.
    So is one about a sweep that expired nothing.
    """

    def __init__(self, output: TextIO) -> None:
        self._output = output
        self._rest = ""

    def write(self, text: str) -> int:
        """Write the lines that are complete; keep the rest for the next call."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            shown = _shortened(line)
            if shown is not None:
                self._output.write(f"{shown}\n")
        return len(text)

    def flush(self) -> None:
        """Flush the output."""
        self._output.flush()

    def isatty(self) -> bool:
        """Return whether the output is a terminal."""
        return self._output.isatty()


def request_line(method: str, target: str, status: int, code: str, milliseconds: float) -> str:
    """Return the line about one request; `code` is that of the problem, if any."""
    what = f"{method} {target} {status}" + (f" {code}" if code else "")
    return f"{datetime.now():%H:%M:%S} {what} {milliseconds:.0f} ms"


def _shortened(line: str) -> str | None:
    if not line.startswith("{"):
        return line
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return line
    if entry.get("level") not in _PROBLEMS and (entry.get("message") == "request" or entry.get("expired") == 0):
        return None
    facts = "".join(f" {name}={entry[name]}" for name in _SHOWN if entry.get(name) is not None)
    trace = f"\n{entry['exception']}" if entry.get("exception") else ""
    level = f"{entry['level']} " if entry.get("level") in _PROBLEMS else ""
    return f"{datetime.now():%H:%M:%S} {level}{entry.get('message')}{facts}{trace}"
