"""Mistakes on the command line."""

import socket
from pathlib import Path

import pytest

from local.processes import free_port
from tests.conftest import Server
from tests.e2e.commands import tradepost

FOLDERS = ("DATA", "DAMAGED_KEY", "DAMAGED_DATABASE", "DAMAGED_POOL", "STRANGE")
MISTAKES: list[tuple[str, int, str]] = [
    ("token --tenant BadTenant --data DATA", 2, "cannot be a tenant"),
    ("token --tenant uk --data DATA", 2, "cannot be a tenant"),
    ("token --tenant acme --user me --data DATA", 2, "an id is a UUID"),
    ("token --tenant acme --data DATA", 1, "No server has run on"),
    ("login --email bea --data DATA", 1, "No server is running"),
    ("status --data DATA", 1, "No server is running"),
    ("audit --data DATA", 1, "No server is running"),
    ("import items FILE --currency EUR --data DATA/nowhere", 1, "No server is running"),
    ("replay FILE --currency GBP --data DATA", 1, "No server is running"),
    ("statement --account a --from 2026-12-01 --to 2026-11-01 --data DATA", 2, "is after the last"),
    ("serve --port 80000 --data DATA", 2, "less than or equal to 65535"),
    ("serve --port TAKEN --data DATA", 1, "cannot be used"),
    ("serve --port FREE --data /proc/nope", 1, "cannot be the data folder"),
    ("serve --port FREE --data FILE", 1, "cannot be the data folder"),
    ("serve --port FREE --data DAMAGED_KEY", 1, "token-key.pem or access-key.json"),
    ("serve --port FREE --data DAMAGED_DATABASE", 1, "Its log"),
    ("token --tenant acme --data DAMAGED_KEY", 1, "is damaged"),
    ("invoke CreateItem FILE", 2, "has no JSON"),
    ("openapi --output /nope/x.json", 1, "cannot be written"),
    ("event items/nothing", 2, "There is no route"),
    ("invoke CreateItem LIST", 2, "an event is a JSON object"),
    ("status --data STRANGE", 1, "No server is running"),
    ("serve --port FREE --data DAMAGED_POOL", 1, "user-pool.json is damaged"),
    ("audit --tenant ../x --data DATA", 2, "cannot be a tenant"),
    ("statement --account a --from 2026-11-01 --to 9999-12-31 --data DATA", 2, "Days are from the years"),
]


@pytest.mark.parametrize(("command", "code", "said"), MISTAKES, ids=[each[0] for each in MISTAKES])
def test_a_mistake_gets_a_sentence_and_an_exit_code(tmp_path: Path, command: str, code: int, said: str) -> None:
    places = {name: tmp_path / name.lower() for name in ("FILE", "LIST", *FOLDERS)}
    for name in FOLDERS:
        places[name].mkdir()
    places["LIST"].write_text("[1]")
    (places["STRANGE"] / "running.json").write_text("[]")
    (places["DAMAGED_POOL"] / "user-pool.json").write_text("{")
    places["FILE"].write_text("a;b\n1;2\n")
    (places["DAMAGED_KEY"] / "token-key.pem").write_text("nonsense")
    (places["DAMAGED_DATABASE"] / "tradepost.db").write_text("nonsense " * 1000)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        words: dict[str, object] = places | {"TAKEN": taken.getsockname()[1], "FREE": free_port()}
        for word in sorted(words, key=len, reverse=True):
            command = command.replace(word, str(words[word]))
        done = tradepost(*command.split())
    assert (done.returncode, said in " ".join(done.stderr.split())) == (code, True), done.stderr
    assert "Traceback" not in done.stdout + done.stderr


MISTAKES_AT_A_SERVER: list[tuple[str, int, str]] = [
    ("login --email bea", 2, "is not an e-mail address"),
    ("login --email bea@example.com", 1, "User does not exist"),
    ("audit --tenant nosuch", 1, "nothing of tenant nosuch"),
    ("replay FILE --currency GBP", 1, "no column InvoiceNo"),
    ("import items FILE --currency EUR", 1, "no column StockCode"),
    ("import items EMPTY --currency EUR", 1, "no column StockCode"),
    ("import items FILE --currency XYZ --sku a --name a --price b", 1, ""),
    ("statement --account nope --from 2026-11-01 --to 2026-11-02", 1, "There is no account nope"),
    ("statement --account nope --from 2026-11-01 --to 2026-11-02 --url http://127.0.0.1:9/v1", 1, "did not answer"),
]


@pytest.mark.parametrize(
    ("command", "code", "said"), MISTAKES_AT_A_SERVER, ids=[each[0] for each in MISTAKES_AT_A_SERVER]
)
def test_so_does_a_mistake_at_a_server(server: Server, tmp_path: Path, command: str, code: int, said: str) -> None:
    (tmp_path / "file").write_text("a;b\n1;2\n")
    (tmp_path / "empty").touch()
    command = command.replace("FILE", str(tmp_path / "file")).replace("EMPTY", str(tmp_path / "empty"))
    done = tradepost(*command.split(), "--data", str(server.data))
    assert (done.returncode, said in " ".join(done.stderr.split())) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
