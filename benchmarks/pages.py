"""The page with costs, whose tables are written by several benchmarks."""

from handlers.registry import ROOT

PAGE = ROOT / "docs" / "costs.md"


def with_table(name: str, table: str) -> str:
    """Return the text of the page with another table between the marks of `name`."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    before, _, rest = PAGE.read_text().partition(begin)
    return f"{before}{begin}{table}{end}{rest.partition(end)[2]}"
