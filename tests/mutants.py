"""Conditions without which some test must fail: `uv run python -m tests.mutants` tries each and writes docs/mutants.md.

Every step of a transaction that has a condition is a mutant for each part of it that AND joins: the tests run with that
part left out, until one fails. As a pytest plugin (`-p tests.mutants`), this module leaves out the part that the
environment names, or writes down all that there are.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import Progress

from infra.functions import ROOT
from repositories.table import Table
from repositories.transaction import Refusal, Transaction, _unconditional

LEFT_OUT = "TRADEPOST_MUTANT"
SEEN = "TRADEPOST_MUTANTS_SEEN"
LIST = ROOT / "docs" / "mutants.md"
SUITES = (
    "interleaving",
    "buckets",
    "holds",
    "orders",
    "idempotency",
    "users",
    "items",
    "ledger",
    "faults",
    "races",
    "stateful",
    "isolation",
)
"""The likeliest to fail first."""
TESTS = [f"tests/integration/test_{name}.py" for name in SUITES]
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?: - .*)?$", re.MULTILINE)

type Mutant = tuple[str, str]
"""A step (or, for a single write, its whole condition) and the part of its condition that is left out."""


def parts(condition: str) -> list[str]:
    """Return what AND joins in a condition; alternatives stay together."""
    return [condition] if " OR " in condition else condition.split(" AND ")


def _without(part: str, condition: str) -> str:
    return " AND ".join(each for each in parts(condition) if each != part)


def _used(values: Mapping[str, Any], *expressions: str) -> dict[str, Any]:
    names = set(re.findall(r":(\w+)", " ".join(expressions)))
    return {name: value for name, value in values.items() if name.lstrip(":") in names}


def _wrap(mutate: Callable[[str, str], str]) -> None:
    """Let every condition pass through `mutate(step, condition)` on its way to DynamoDB."""
    add, put = Transaction._add, Table.put

    def mutated_add(
        self: Transaction,
        name: str,
        verb: str,
        action: dict[str, Any],
        condition: str = "",
        refusal: Refusal = _unconditional,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        kept = mutate(name, condition) if condition else ""
        if verb == "ConditionCheck" and not kept:
            kept = "attribute_exists(pk)"
        add(self, name, verb, action, kept, refusal, _used(values or {}, kept, action.get("UpdateExpression", "")))

    def mutated_put(self: Table, row: Any, condition: str, values: Mapping[str, Any]) -> Any:
        kept = mutate(f"put {row['type']}", condition) or "attribute_not_exists(pk) OR attribute_exists(pk)"
        if not _used(values, kept):
            kept, values = f"({kept}) OR pk <> :none", {":none": ""}
        return put(self, row, kept, values)

    Transaction._add, Table.put = mutated_add, mutated_put  # type: ignore[method-assign]


def pytest_configure() -> None:
    """Leave a part out, or note all parts, as the environment says."""
    if LEFT_OUT in os.environ:
        step, part = json.loads(os.environ[LEFT_OUT])
        _wrap(lambda name, condition: _without(part, condition) if name == step else condition)
    elif SEEN in os.environ:
        _wrap(_note)


def _note(name: str, condition: str) -> str:
    with Path(os.environ[SEEN]).open("a") as seen:
        seen.writelines(f"{json.dumps([name, part])}\n" for part in parts(condition))
    return condition


def _run(*options: str, **environment: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutants", "-q", "--tb=no", "--show-capture=no", *options]
    existing = [each for each in TESTS if (ROOT / each).exists()]
    done = subprocess.run(
        [*command, *existing], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return done.stdout


def _all() -> list[Mutant]:
    seen = ROOT / ".tradepost" / "mutants"
    seen.parent.mkdir(exist_ok=True)
    seen.write_text("")
    _run(**{SEEN: str(seen)})
    return sorted({(name, part) for name, part in map(json.loads, seen.read_text().splitlines())})


def _killer(mutant: Mutant) -> str:
    """Return the test that fails without a part, or nothing."""
    found = _FAILED.search(_run("-x", **{LEFT_OUT: json.dumps(mutant)}))
    return found[1] if found else ""


def main() -> None:
    """Try every mutant, write the list, and fail if one survives."""
    mutants = _all()
    with Progress() as bar, ThreadPoolExecutor(2) as pool:
        killers = list(bar.track(pool.map(_killer, mutants), total=len(mutants), description="Mutants"))
    rows = [f"| {name} | `{part}` | {_shown(test)} |" for (name, part), test in zip(mutants, killers, strict=True)]
    LIST.write_text("\n".join([_HEAD, *rows, ""]))
    survivors = killers.count("")
    print(f"{len(mutants)} mutants, {survivors} survived: see {LIST.relative_to(ROOT)}")
    sys.exit(bool(survivors))


def _shown(test: str) -> str:
    return f"`{test.removeprefix('tests/integration/')}`" if test else "**survived**"


_HEAD = """# Conditions, and the test that fails without each

Every condition on a write, part by part: the tests were run with that part left out, and this one was the first to
fail. Written by `uv run python -m tests.mutants`.

| step | part left out | test that fails |
| --- | --- | --- |"""


if __name__ == "__main__":
    main()
