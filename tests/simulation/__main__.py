"""`uv run python -m tests.simulation --seed 42`: run universes."""

import argparse
import json
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from time import perf_counter

from tests.simulation.breaks import BREAKS, broken
from tests.simulation.shrink import shrunk
from tests.simulation.universe import Plan, Report, run
from tests.simulation.workload.themes import THEMES


def main() -> None:
    """Run what the command line names; end with 1 if there is a violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, help="one universe, with its trace")
    parser.add_argument("--seeds", help="many universes, such as 1..500")
    parser.add_argument("--theme", choices=list(THEMES), help="what clients do; the seed's choice by default")
    parser.add_argument("--break", dest="mistake", choices=sorted(BREAKS), help="run with a mistake in the code")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    chosen = parser.parse_args()
    plan = Plan(theme=chosen.theme)
    if chosen.seed is not None:
        sys.exit(_one(chosen.seed, plan, chosen.mistake, as_json=chosen.json))
    first, _, last = (chosen.seeds or "1..100").partition("..")
    sys.exit(_many(range(int(first), int(last or first) + 1), plan, chosen.mistake, as_json=chosen.json))


def _one(seed: int, plan: Plan, mistake: str | None, *, as_json: bool) -> int:
    report = _run(mistake, plan, seed)
    if as_json:
        print(json.dumps(_shown([report])))
    else:
        print("\n".join(report.trace))
        print(f"Seed {seed}, theme {report.theme}: {report.steps} steps. {report.violation or 'Nothing was violated.'}")
    return bool(report.violation)


def _many(seeds: range, plan: Plan, mistake: str | None, *, as_json: bool) -> int:
    began = perf_counter()
    reports: list[Report] = []
    with ProcessPoolExecutor() as pool:
        for report in pool.map(partial(_run, mistake, plan), seeds, chunksize=4):
            report.trace = []
            reports.append(report)
            if report.violation and mistake:
                pool.shutdown(cancel_futures=True)
                break
    violated = [report for report in reports if report.violation]
    if as_json:
        print(json.dumps(_shown(reports)))
    else:
        seconds, steps = perf_counter() - began, sum(report.steps for report in reports)
        commands = sum((report.commands for report in reports), Counter[str]())
        faults = sum((report.faults for report in reports), Counter[str]())
        codes = sum((report.codes for report in reports), Counter[str]())
        pace = f"{len(reports) / seconds:.1f} seeds/s"
        print(f"{len(reports)} seeds, {steps:,} steps, {commands.total():,} commands, {pace}")
        print("Faults: " + (", ".join(f"{count} {name}" for name, count in faults.most_common()) or "none"))
        print("Answers: " + ", ".join(f"{count} {name}" for name, count in codes.most_common()))
        for report in violated:
            print(f"Seed {report.seed}, theme {report.theme}: {report.violation}")
        if violated and not mistake:
            print(f"Shrunk: {shrunk(violated[0].seed, plan)}")
    return bool(violated)


def _run(mistake: str | None, plan: Plan, seed: int) -> Report:
    with broken(mistake):
        return run(seed, plan)


def _shown(reports: list[Report]) -> dict[str, object]:
    return {
        "seeds": len(reports),
        "steps": sum(report.steps for report in reports),
        "commands": sum((report.commands for report in reports), Counter[str]()),
        "faults": sum((report.faults for report in reports), Counter[str]()),
        "violations": [
            {"seed": report.seed, "theme": report.theme, "violation": report.violation}
            for report in reports
            if report.violation
        ],
    }


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Sets are walked in the order of hashes.
        command = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606
    main()
