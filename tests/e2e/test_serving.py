"""The local server: what it keeps, prints and leaves behind."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from handlers.registry import ROOT
from local.processes import free_port
from tests.conftest import Server
from tests.e2e.commands import tradepost
from tests.shop import new_item


def test_data_survives_a_restart(tmp_path: Path) -> None:
    first = Server(tmp_path)
    shop = first.shop()
    item = shop.add(sku="A", stock=3)
    cursor = shop.get("/items?limit=1").json["next_cursor"]
    shop.add(sku="B")
    cursor = shop.get("/items?limit=1").json["next_cursor"]
    assert first.stop() == 0
    assert "Stopped." in first.log
    assert "Traceback" not in first.log
    second = Server(tmp_path)
    try:
        again = second.shop(shop.tenant)
        assert again.item(item["id"]) == item
        assert again.post("/items", new_item(sku="A")).code == "SKU_TAKEN"
        rest = again.get(f"/items?limit=1&cursor={cursor}").json
        assert [each["sku"] for each in rest["items"]] == ["A"]
    finally:
        second.stop()


def test_the_line_to_paste_works(server: Server) -> None:
    line = next(line for line in server.log.splitlines() if line.startswith("curl "))
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["name"] == "Enamel mug"


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    refused = tradepost("serve", "--data", str(server.data), "--memory")
    assert refused.returncode == 1
    assert "Another Tradepost is using" in refused.stderr


def test_a_server_that_was_killed_leaves_no_process_and_no_traceback(tmp_path: Path) -> None:
    server = Server(tmp_path)
    children = [each.pid for each in psutil.Process(server.process.pid).children(recursive=True)]
    assert len(children) >= 5
    server.process.kill()
    server.stop()
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in children if psutil.pid_exists(pid)], timeout=60)
    assert alive == []
    for command in ("audit", "status", "login --email bea@example.com"):
        done = tradepost(*command.split(), "--data", str(tmp_path))
        assert (done.returncode, "No server is running" in done.stderr) == (1, True), done.stderr
    again = Server(tmp_path)
    assert again.stop() == 0


def test_what_is_kept_is_private_and_memory_keeps_nothing(tmp_path: Path) -> None:
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    for data, options in ((kept, ()), (gone, ("--memory",))):
        data.mkdir()
        server = Server(data, *options)
        server.shop().add()
        modes = {path.name: path.stat().st_mode & 0o077 for path in data.iterdir() if path.name != "server.log"}
        assert {name for name, mode in modes.items() if mode} <= {"server.lock"}
        assert (data.stat().st_mode & 0o777 == 0o700) == (data == kept)
        assert server.stop() == 0
    assert [path.name for path in gone.iterdir()] == ["server.log"]
    assert {"tradepost.db", "token-key.pem", "access-key.json"} <= {path.name for path in kept.iterdir()}


def test_on_a_terminal_log_lines_are_for_people(tmp_path: Path) -> None:
    main, terminal = pty.openpty()
    port = free_port()
    command = [sys.executable, "-m", "cli.main", "serve", "--port", str(port), "--memory", "--data", str(tmp_path)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = ""
    try:
        while "curl" not in shown:
            shown += os.read(main, 4096).decode()
        page = httpx.get(f"http://127.0.0.1:{port}/")
        assert (page.status_code, "/v1/docs" in page.text) == (200, True)
        httpx.get(f"http://127.0.0.1:{port}/v1/items?limit=2")
        httpx.get(f"http://127.0.0.1:{port}/v1/health")
        while "/v1/health 200" not in shown:
            shown += os.read(main, 4096).decode()
    finally:
        server.send_signal(signal.SIGTERM)
    while "Stopped." not in shown:
        shown += os.read(main, 4096).decode()
    assert server.wait(300) == 0
    assert re.search(r"^[0-9:]{8} GET /v1/items\?limit=2 401 UNAUTHORIZED [0-9]+ ms\r$", shown, re.MULTILINE)
    assert '{"level"' not in shown


def test_a_change_of_the_code_starts_the_server_again(tmp_path: Path) -> None:
    copy = tmp_path / "code"
    for name in ("cli", "domain", "handlers", "infra", "local", "repositories", "docs", "events"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / ".tradepost").symlink_to(ROOT / ".tradepost")
    port = free_port()
    options = ["--port", str(port), "--memory", "--reload", "--data", str(tmp_path / "data")]
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "serve", *options], cwd=copy, stdout=output, stderr=output
        )
        try:
            _wait_for(log, "Tradepost listening", times=1, server=server)
            changed = copy / "domain" / "__init__.py"
            changed.write_text(re.sub('VERSION = ".*"', 'VERSION = "9.9.9"', changed.read_text()))
            _wait_for(log, "Tradepost listening", times=2, server=server)
            assert httpx.get(f"http://127.0.0.1:{port}/v1/health", timeout=60).json()["version"] == "9.9.9"
        finally:
            server.send_signal(signal.SIGINT)
            assert server.wait(300) == 0


def _wait_for(log: Path, text: str, times: int, server: "subprocess.Popen[bytes]") -> None:
    while log.read_text().count(text) < times:
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
