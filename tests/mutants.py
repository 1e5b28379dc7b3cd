"""Mutants that some test must kill: `uv run python -m tests.mutants` tries each and writes docs/mutants.md.

With names of suites (`uv run python -m tests.mutants flow`), it tries what these meet and the list does not have yet.

Two kinds. Every step of a transaction that has a condition is a mutant for each part of it that AND joins. And every
effect in `tests.effects` is one: the sign of a posting, a margin of time, a deadline. The tests run with the part left
out, or the effect changed, until one fails. As a pytest plugin (`-p tests.mutants`), this module does what the
environment names, or writes down all conditions that there are.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress

from handlers.registry import ROOT
from repositories.dynamodb.table import Table
from repositories.dynamodb.transaction import Raises, WriteTransaction
from tests.effects import EFFECTS

LEFT_OUT = "TRADEPOST_MUTANT"
CHANGED = "TRADEPOST_MUTANT_EFFECT"
SEEN = "TRADEPOST_MUTANTS_SEEN"
LIST = ROOT / "docs" / "mutants.md"
SUITES = (
    "consistency/test_interleaving.py",
    "items",
    "orders",
    "parts",
    "discounts",
    "bookings",
    "events",
    "flow",
    "http/test_idempotency.py",
    "identity",
    "ledger",
    "audit",
    "payments",
    "exports",
    "consistency",
    "http/test_isolation.py",
)
"""Tests below tests/integration, the likeliest to fail first."""
LIKELY = {
    "identity": "user|address|owner|subject|token|claim|role|profile|caller|right|erased|sign|answer that showed",
    "ledger": "entry|entries|balance|post|revers|chain|account|code|final|settled|times|clock|present|refund",
    "items": "SKU|item|version|shard|split|snapshot|sum",
    "orders": "order|reserve|release|ship|cancel|units|reservation|sweep|expire",
    "parts": "part|refund|shipping|rounding",
    "discounts": "code|discount",
    "bookings": "booking|page|resource|hold|feed",
    "http/test_idempotency.py": "record|lease|batch|key|replay|idempotency|response|commands|attempts",
    "events": "feed|events may",
    "flow": "lane|attempt|deliver|endpoint|test|count|figures|generation|due|sweep|waiting",
    "audit": "came in|counts|what came",
    "payments": "payment|provider|movement|dispute|payout|inbox|circuit|cursor|done|ask again",
    "exports": "export|part|try again",
    "consistency": "tenant|edit|stock row|any version|half|belong|balance|moments|rests",
}
"""Words by which a mutant says which suite will kill it."""
_FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)

type Condition = tuple[str, str]
"""A step (or, for a single write, its whole condition) and the part of its condition that is left out."""


_NEW_ID = "carried: the id is new, and no other row can have it"
CARRIED: dict[Condition, str] = {
    **{
        (step, "attribute_not_exists(pk)"): _NEW_ID
        for step in ("add the booking", "add the export", "add the first part", "add the payment", "add the resource")
    },
    **{
        (step, "attribute_not_exists(pk)"): "carried: the two are of one transaction, and each is enough"
        for step in ("begin the payment", "list the payment")
    },
    ("ask again later", "gsi3sk = :due"): "carried: a payment that is settled is only looked at once more",
    ("add a part", "attribute_not_exists(pk)"): "carried: its number is of the count that `count the part` guards",
    ("open a shard", "attribute_not_exists(pk)"): (
        "carried: rows that do not belong together are read again, and the first row must be as read"
    ),
}
"""Conditions that no test can miss, and what carries them: kept, as each of the two was once not enough."""


def parts(condition: str) -> list[str]:
    """Return what AND joins in a condition; alternatives stay together."""
    return [condition] if " OR " in condition else condition.split(" AND ")


def _without(part: str, condition: str) -> str:
    return " AND ".join(each for each in parts(condition) if each != part)


def _used(values: Mapping[str, Any], *expressions: str) -> dict[str, Any]:
    names = set(re.findall(r":(\w+)", " ".join(expressions)))
    return {name: value for name, value in values.items() if name.lstrip(":") in names}


def _wrap(patch: pytest.MonkeyPatch, mutate: Callable[[str, str], str]) -> None:
    """Let every condition pass through `mutate(step, condition)` on its way to DynamoDB."""
    add, put = WriteTransaction._add, Table.put

    def mutated_add(
        self: WriteTransaction,
        name: str,
        verb: str,
        action: dict[str, Any],
        condition: str,
        raises: Raises | None,
        values: Mapping[str, Any],
    ) -> None:
        kept = mutate(name, condition) if condition else ""
        if verb == "ConditionCheck" and not kept:
            kept = "attribute_exists(pk) OR attribute_not_exists(pk)"
        add(
            self,
            name,
            verb,
            action,
            kept,
            raises if kept else None,
            _used(values, kept, action.get("UpdateExpression", "")),
        )

    def mutated_put(self: Table, row: Any, condition: str, values: Mapping[str, Any]) -> Any:
        kept = mutate(f"put {row['type']}", condition) or "attribute_not_exists(pk) OR attribute_exists(pk)"
        if kept == condition:
            return put(self, row, condition, values)
        if not _used(values, kept):
            kept, values = f"({kept}) OR pk <> :none", {":none": ""}
        return put(self, row, kept, values)

    patch.setattr(WriteTransaction, "_add", mutated_add)
    patch.setattr(Table, "put", mutated_put)


def leave_out(patch: pytest.MonkeyPatch, step: str, part: str) -> None:
    """Leave a part of a step's condition out."""
    _wrap(patch, lambda name, condition: _without(part, condition) if name == step else condition)


def pytest_configure() -> None:
    """Leave a part out, change an effect, or note all parts, as the environment says."""
    if LEFT_OUT in os.environ:
        leave_out(pytest.MonkeyPatch(), *json.loads(os.environ[LEFT_OUT]))
    elif CHANGED in os.environ:
        EFFECTS[os.environ[CHANGED]](pytest.MonkeyPatch())
    elif SEEN in os.environ:
        _wrap(pytest.MonkeyPatch(), _note)


def _note(name: str, condition: str) -> str:
    with Path(os.environ[SEEN]).open("a") as seen:
        seen.writelines(f"{json.dumps([name, part])}\n" for part in parts(condition))
    return condition


def _tests(mutant: str) -> list[str]:
    """Return the suites, those first that the words of a mutant speak of."""
    likely = [name for name, words in LIKELY.items() if re.search(words, mutant)]
    names = [*likely, *(name for name in SUITES if name not in likely)]
    return ["tests/unit/test_transaction.py", *(f"tests/integration/{name}" for name in names)]


def _run(tests: Sequence[str], *options: str, **environment: str) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.mutants",
        "-n0",
        "-q",
        "--tb=no",
        "--show-capture=no",
        *options,
    ]
    done = subprocess.run(
        [*command, *tests], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return done.stdout


def _conditions(suites: Sequence[str]) -> list[Condition]:
    seen = ROOT / ".tradepost" / "mutants"
    seen.parent.mkdir(exist_ok=True)
    seen.write_text("")
    _run([f"tests/integration/{name}" for name in suites] or _tests(""), **{SEEN: str(seen)})
    return sorted({(name, part) for name, part in map(json.loads, seen.read_text().splitlines())})


def _killer(mutant: dict[str, str]) -> str:
    """Return the test that fails with a mutant, or nothing."""
    found = _FAILED.search(_run(_tests(str(mutant)), "-x", **mutant))
    return found[1] if found else ""


def _known() -> dict[str, str]:
    """Return the rows of the list by what they begin with: the mutant."""
    rows = [line for line in LIST.read_text().splitlines() if line.startswith("| ") and not line.startswith("| -")]
    return {row.rpartition(" | ")[0]: row for row in rows if not row.endswith("| test that fails |")}


def main() -> None:
    """Try every mutant, or new ones of some suites; write the list, and fail if one survives."""
    suites = sys.argv[1:]
    known = _known() if suites else {}
    mutants: dict[str, dict[str, str]] = {
        f"| {step} | `{part}`": {LEFT_OUT: json.dumps((step, part))} for step, part in _conditions(suites)
    } | {f"| {name}": {CHANGED: name} for name in EFFECTS}
    new = {shown: mutant for shown, mutant in mutants.items() if shown not in known}
    carriers = {f"| {step} | `{part}`": carrier for (step, part), carrier in CARRIED.items()}
    rows = dict(known)
    with Progress() as bar, ThreadPoolExecutor(2) as pool:
        killers = bar.track(pool.map(_killer, new.values()), total=len(new), description="Mutants")
        for shown, killer in zip(new, killers, strict=True):
            rows[shown] = f"{shown} | {_shown(killer, carriers.get(shown, _SURVIVED))} |"
            _write(rows)  # a run that is interrupted goes on with what is missing
    print(f"{_told(rows)} See {LIST.relative_to(ROOT)}.")
    sys.exit(any(map(_survived, rows.values())))


def _survived(row: str) -> bool:
    return row.endswith(f"{_SURVIVED} |")


def _told(rows: Mapping[str, str]) -> str:
    return f"{len(rows)} mutants, {len(rows) - sum(map(_survived, rows.values()))} of them killed."


def _write(rows: Mapping[str, str]) -> None:
    effects = [rows[shown] for shown in (f"| {name}" for name in EFFECTS) if shown in rows]
    conditions = sorted(row for row in rows.values() if row not in effects)
    LIST.write_text("\n".join([_HEAD.format(told=_told(rows)), *conditions, _EFFECTS, *effects, ""]))


_SURVIVED = "**survived**"


def _shown(test: str, otherwise: str) -> str:
    return f"`{test.removeprefix('tests/').removeprefix('integration/')}`" if test else otherwise


_HEAD = """# Mutants, and the test that fails with each

The tests were run with one thing wrong, and this one was the first to fail. {told} Written by
`uv run python -m tests.mutants`.

## Conditions

Every condition on a write, part by part, left out.

| step | part left out | test that fails |
| --- | --- | --- |"""
_EFFECTS = """
## Effects

| what is wrong | test that fails |
| --- | --- |"""


if __name__ == "__main__":
    main()
