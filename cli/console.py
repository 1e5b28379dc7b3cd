"""Consoles of the command line, and lists of what was refused."""

import sys
from collections.abc import Iterable

from rich.console import Console

console = Console(width=None if sys.stdout.isatty() else 160)
stderr = Console(stderr=True, soft_wrap=True)
_NAMED = 10


def print_refused(refused: Iterable[tuple[int, str]]) -> None:
    """Print refused lines of a file, each with its number and reason: a line a reason, with the first line numbers."""
    by_reason: dict[str, list[int]] = {}
    for number, reason in sorted(refused):
        by_reason.setdefault(reason, []).append(number)
    for reason, numbers in sorted(by_reason.items(), key=lambda each: -len(each[1])):
        named = ", ".join(map(str, numbers[:_NAMED]))
        more = f" and {len(numbers) - _NAMED:,} more" if len(numbers) > _NAMED else ""
        lines = "line" if len(numbers) == 1 else "lines"
        text = f"{len(numbers):,} refused: {reason} ({lines} {named}{more})"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
