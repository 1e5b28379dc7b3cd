"""Options and helpers shared by commands."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

stderr = Console(stderr=True)

Data = Annotated[Path, typer.Option(help="Folder of the local server's data and keys.")]
Url = Annotated[str, typer.Option(help="Base URL of the API.")]
DEFAULT_DATA = Path(".tradepost")
DEFAULT_URL = "http://127.0.0.1:3000/v1"
RUNNING = "running.json"
"""File in the data folder with the addresses of the running server's database and user pool."""


def running(data: Path) -> dict[str, str]:
    """Return the addresses of the database and user pool of the server running on `data`. Exits with 1 without one."""
    file = data / RUNNING
    if not file.exists():
        stderr.print(f"No server is running on {data}. Start one with `uv run tradepost serve`.")
        raise typer.Exit(1)
    parts: dict[str, str] = json.loads(file.read_text())
    return parts
