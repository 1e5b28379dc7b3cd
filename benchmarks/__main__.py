"""Benchmark runner: `uv run python -m benchmarks` measures Tradepost and its peers and writes docs/benchmarks.md."""

import io
import platform
from contextlib import redirect_stdout
from datetime import UTC, datetime

from benchmarks.cold import ratios
from benchmarks.cost import costs
from benchmarks.ledger import postings_per_second, reads_by_length
from benchmarks.orders import costs_by_size, orders_per_second
from benchmarks.prices import AS_OF, dollars_a_million
from benchmarks.warm import warm_cpu
from handlers.registry import ROOT, functions
from infra.bundling import bundle
from local.http.server import settings_for
from local.services import services

PAGE = ROOT / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `uv run python -m benchmarks`. The machine is noisy and small: ratios within one run count, absolute numbers
do not. Peers do the same reads and writes over the same loopback endpoint, without permissions, idempotency, events and
logs (FastAPI validates). `create` also checks whether the caller's token was revoked, a request more than its peers
make. The embedded database executes one write at a time and never reports a conflict, so that stock buckets and account
stripes show less here than in AWS. The naive ledger keeps no history, no floor and no idempotency record.
"""


_page: list[str] = []


def _say(text: str) -> None:
    """Add a paragraph or a row to the page. Standard output has the log lines of the functions that are measured."""
    _page.append(text)


def main() -> None:
    """Measure, and write the page."""
    with redirect_stdout(io.StringIO()):
        _measure()
    PAGE.write_text("\n".join([_HEAD, *_page, ""]))
    print(PAGE)


def _measure() -> None:
    _say(f"Measured {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}.\n")
    _print_cold()
    with services():
        settings_for(None)
        _print_warm()
        _print_orders()
        _print_ledger()
    _print_cost()
    size = bundle(ROOT / ".tradepost" / "cache").stat().st_size
    _say(f"\nThe zip of all functions: {size / 1e6:.1f} MB.")


def _print_cold() -> None:
    found = ratios([function.module for function in functions()], rounds=7)
    _say("CPU of a cold import and client, as a multiple of Powertools' Logger and a boto3 client:\n")
    _say("| function | ratio |\n| --- | --- |")
    for function in functions():
        _say(f"| {function.name} | {found[function.module]:.2f} |")


def _print_warm() -> None:
    _say("\nCPU of a warm call, as a multiple of a bare boto3 handler's, and what it adds to that:\n")
    measured = warm_cpu()
    names = list(next(iter(measured.values())))
    _say(f"| route | {' | '.join(names)} |\n| --- |{' --- |' * len(names)}")
    for route, callers in measured.items():
        base = callers[names[0]]
        cells = [f"{cpu / base:.2f} ({cpu - base:+.0f} µs)" for cpu in callers.values()]
        _say(f"| {route} | {f'1 ({base:.0f} µs)'} | {' | '.join(cells[1:])} |")


def _print_orders() -> None:
    costs, rates = costs_by_size(), orders_per_second()
    _say("\nAn order, by how many different items it has:\n")
    _say("| items | requests | read units | write units |\n| --- | --- | --- | --- |")
    for size, (requests, reads, writes) in costs.items():
        _say(f"| {size} | {requests} | {reads} | {writes} |")
    one = rates[1]
    _say("\nOrders of one hot item by four processes at once, as a multiple of those with one bucket:\n")
    _say("| buckets | orders a second |\n| --- | --- |")
    for buckets, rate in rates.items():
        _say(f"| {buckets} | {rate / one:.2f} ({rate:.0f}/s) |")


def _print_ledger() -> None:
    rates = postings_per_second()
    base = next(iter(rates.values()))
    _say("\nTransactions of two entries posted by four processes at once, as a multiple of the naive way:\n")
    _say("| layout | postings a second |\n| --- | --- |")
    for layout, rate in rates.items():
        _say(f"| {layout} | {rate / base:.2f} ({rate:.0f}/s) |")
    _say("\nThe balance at an instant in the past, by the entries of the account and how their times are spaced:\n")
    _say("| entries | spacing | requests (most) | read units (most) |\n| --- | --- | --- | --- |")
    for (length, spacing), (rounds, most_rounds, units, most_units) in reads_by_length().items():
        _say(f"| {length:,} | {spacing} | {rounds:.1f} ({most_rounds:.0f}) | {units:.1f} ({most_units:.0f}) |")


def _print_cost() -> None:
    _say("\nWhat a million requests like each sample event cost in all (API Gateway, Lambda, DynamoDB, logs; prices of")
    _say(f"{AS_OF}); their units are in [access patterns](access-patterns.md):\n")
    _say("| route | $ a million |\n| --- | --- |")
    for route, cost in costs().items():
        _say(f"| {route} | {dollars_a_million(float(cost.read_units), float(cost.write_units)):.2f} |")


if __name__ == "__main__":
    main()
