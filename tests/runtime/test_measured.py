"""The figures in the docs are those that are measured."""

from tests.measured import committed, measured


def test_the_figures_in_the_docs_are_measured() -> None:
    assert measured() == committed(), "run `uv run python -m tests.measured`"
