"""Tests that the figures in the docs equal the measured ones."""

from tests.measured import committed, measured


def test_the_figures_in_the_docs_are_measured() -> None:
    assert measured() == committed(), "run `uv run python -m tests.measured`"
