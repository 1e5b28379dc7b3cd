"""Generated clients compile, and work against the running server; linters accept the OpenAPI document."""

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

from cli.clients import DOCUMENT, TYPESCRIPT_GENERATOR, python, typescript
from handlers.registry import ROOT
from local.tools import NODE, isolated, uv
from tests.conftest import Server
from tests.contract.node import run
from tests.shop import Shop

HERE = Path(__file__).parent
PAGES = ROOT / "docs"
SHOWN = ["12.99", "pending 25.98", "/lines/0/quantity", "8 available", "2 items"]
"""What each client prints, for a shop in which there was one item before."""


@pytest.fixture
def shop(server: Server) -> Shop:
    shop = server.shop()
    shop.add(stock=1)
    return shop


def api(server: Server, shop: Shop) -> dict[str, str]:
    return {"TRADEPOST_API": server.url, "TRADEPOST_TOKEN": shop.token()}


def code_of(page: str, language: str) -> str:
    """Return the code of a page, from top to bottom."""
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", (PAGES / page).read_text(), re.DOTALL))


def compiled(folder: Path, *files: str) -> None:
    """Check TypeScript files as strictly as it goes."""
    options = ("--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--allowImportingTsExtensions")
    run(folder, "npx", "tsc", *options, "--checkJs", "--types", "node", *files)


def test_redocly_finds_nothing(work: Path) -> None:
    said = run(work, "npx", "redocly", "lint", str(DOCUMENT), "--format", "json", REDOCLY_TELEMETRY="off")
    assert json.loads(said)["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def test_spectral_finds_nothing(work: Path) -> None:
    (work / ".spectral.yaml").write_text('extends: ["spectral:oas"]')
    assert (
        json.loads(run(work, "npx", "spectral", "lint", str(DOCUMENT), "-r", ".spectral.yaml", "-f", "json", "-q"))
        == []
    )


def test_the_python_page_works(server: Server, shop: Shop, tmp_path: Path) -> None:
    python(tmp_path / "client")
    (tmp_path / "page.py").write_text(code_of("client-python.md", "python"))
    # What the generator writes is not checked itself: mypy dislikes its local variables in a few places.
    run(tmp_path, "mypy", "--strict", "--config-file=", "--follow-imports=silent", "page.py", MYPYPATH="client")
    command = (uv(), "run", "--quiet", "--no-project", "--isolated", "--python", sys.executable, "--with", "./client")
    said = run(tmp_path, *command, "python", "page.py", **api(server, shop))
    assert [each for each in SHOWN if each not in said] == []


def test_the_typescript_page_works(server: Server, shop: Shop, work: Path, node: Path) -> None:
    package = node / "node_modules" / "tradepost-client"
    shutil.rmtree(package, ignore_errors=True)
    typescript(package)
    (work / "page.ts").write_text(code_of("client-typescript.md", "ts"))
    compiled(work, "page.ts", "node_modules/tradepost-client/index.js")
    said = run(work, "node", "page.ts", **api(server, shop))
    assert [each for each in SHOWN if each not in said] == []


def test_a_client_of_hey_api_works(server: Server, shop: Shop, work: Path) -> None:
    wanted = {"input": str(DOCUMENT), "output": {"path": "hey", "module": {"extension": ".ts"}}}
    (work / "openapi-ts.config.js").write_text(f"export default {json.dumps(wanted)}")
    run(work, "npx", "openapi-ts")
    shutil.copy(HERE / "clients" / "hey_api.ts", work)
    compiled(work, "hey_api.ts")
    said = run(work, "node", "hey_api.ts", **api(server, shop))
    assert [each for each in SHOWN if each not in said] == []


def test_models_of_datamodel_code_generator_work(server: Server, shop: Shop, tmp_path: Path) -> None:
    generator = [*isolated("datamodel-code-generator==0.89.0"), "datamodel-codegen"]
    kind = ("--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel", "--formatters", "builtin")
    run(tmp_path, *generator, "--input", str(DOCUMENT), "--output", "models.py", *kind)
    said = run(tmp_path, sys.executable, str(HERE / "clients" / "datamodel.py"), PYTHONPATH=".", **api(server, shop))
    assert [each for each in SHOWN if each not in said] == []


def test_one_version_of_each_tool_is_pinned() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert NODE in groups["infra"]
    pinned = json.loads((HERE / "npm" / "package.json").read_text())["devDependencies"]
    shipped = json.loads((ROOT / "cli" / "clients" / "typescript" / "package.json").read_text())["dependencies"]
    assert f"typescript@{pinned['typescript']}" in TYPESCRIPT_GENERATOR
    assert shipped["openapi-fetch"] == pinned["openapi-fetch"]
