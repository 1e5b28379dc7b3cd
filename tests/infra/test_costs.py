"""Test of the page about costs."""

from benchmarks.idle import page
from benchmarks.pages import PAGE


def test_what_an_idle_stack_costs_is_as_the_page_says() -> None:
    assert page() == PAGE.read_text(), "run `uv run python -m benchmarks.idle` and look at the difference"
