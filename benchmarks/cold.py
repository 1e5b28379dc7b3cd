"""CPU of a cold start: import of a function's module and creation of its client, against Logger and a boto3 client."""

import os
import statistics
import subprocess
import sys
from collections.abc import Sequence

from handlers.registry import ROOT, functions
from local.database import ENVIRONMENT

BASELINE = "from aws_lambda_powertools import Logger; Logger(service='x'); import boto3; boto3.client('dynamodb')"
_CLIENT = "from repositories.aws.clients import dynamodb; dynamodb()"
_MEASURED = "import time; start = time.process_time(); exec({code!r}); print(time.process_time() - start)"


def cpu_seconds(code: str) -> float:
    """Return the CPU seconds of `code` in a new interpreter, with modules already compiled."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | ENVIRONMENT
    command = [sys.executable, "-c", _MEASURED.format(code=code)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


def ratios(modules: Sequence[str], rounds: int) -> dict[str, float]:
    """Return the median over rounds of each module's cold start as a multiple of the baseline's.

    The baseline is measured immediately before each module, so that noise affects both.
    """
    seen: dict[str, list[float]] = {module: [] for module in modules}
    for _ in range(rounds):
        for module in modules:
            baseline = cpu_seconds(BASELINE)
            seen[module].append(cpu_seconds(f"import {module}; {_CLIENT}") / baseline)
    return {module: statistics.median(values) for module, values in seen.items()}


if __name__ == "__main__":
    for module, ratio in ratios([function.module for function in functions()], rounds=5).items():
        print(f"{module:40} {ratio:.2f}")
