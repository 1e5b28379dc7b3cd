"""Docstrings, comments and documentation are in plain English: words that a stranger has to decode are not used."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.registry import ROOT

WORDS = re.compile(
    r"\b(whom|whoever|tells?|told|beside|meanwhile|nobody|somebody|so many)\b"
    r"|\b(asks? along|of ours|by itself|by themselves)\b",
    re.IGNORECASE,
)
CODE = ("benchmarks", "cli", "domain", "handlers", "infra", "local", "repositories", "tests")
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
_NAMES = re.compile(r"`[^`]*`|^\|.*$|^```.*?^```", re.MULTILINE | re.DOTALL)
"""Parts of a page that are names: of mutants and tests, in tables and in code."""


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield comments, docstrings and attribute docstrings of a module, with their lines."""
    text = path.read_text()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str() as words)):
                yield node.lineno, words


@pytest.mark.parametrize("top", CODE)
def test_comments_and_docstrings_are_plain(top: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {match[0]}"
        for path in (ROOT / top).rglob("*.py")
        for line, text in _texts(path)
        for match in WORDS.finditer(text.replace("`meanwhile`", ""))
    ]
    assert found == []


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_plain(page: str) -> None:
    text = _NAMES.sub("", (ROOT / page).read_text())
    assert [match[0] for match in WORDS.finditer(text)] == []
