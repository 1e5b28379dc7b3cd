"""Cost of the sample events: `uv run python -m tests.measured` writes it to docs/access-patterns.md."""

import re

from benchmarks.cost import costs
from handlers.registry import ROOT

PAGE = ROOT / "docs" / "access-patterns.md"
_TABLE = re.compile(r"(?<=<!-- measured -->\n).*?(?=<!-- end -->)", re.DOTALL)


def measured() -> str:
    """Return a Markdown table with the requests and capacity units of each route's sample event."""
    head = "| route | status | requests | read units | write units |\n| --- | --- | --- | --- | --- |\n"
    return head + "".join(f"| `{route}` | {' | '.join(map(str, cost))} |\n" for route, cost in costs().items())


def committed() -> str:
    """Return the table in the docs."""
    found = _TABLE.search(PAGE.read_text())
    return found[0] if found else ""


if __name__ == "__main__":
    table = measured()
    PAGE.write_text(_TABLE.sub(lambda _: table, PAGE.read_text()))
    print(PAGE)
