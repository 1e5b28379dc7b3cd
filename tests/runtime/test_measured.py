"""Tests that the figures in the docs equal the measured ones."""

from benchmarks.cost import costs
from benchmarks.prices import dollars_a_million
from handlers.registry import ROOT
from tests.measured import committed, measured


def test_the_figures_in_the_docs_are_measured() -> None:
    assert measured() == committed(), "run `uv run python -m tests.measured`"


def test_the_readme_says_what_a_million_orders_cost() -> None:
    placed = costs()["POST /v1/orders"]
    dollars = dollars_a_million(float(placed.read_units), float(placed.write_units))
    readme = " ".join((ROOT / "README.md").read_text().split())
    assert f"A million orders cost about {dollars:.0f} dollars" in readme
