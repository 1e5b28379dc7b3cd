"""Command that generates API clients."""

import subprocess
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import fail


class Language(StrEnum):
    """Language of a client."""

    PYTHON = "python"
    TYPESCRIPT = "typescript"


def client(
    language: Annotated[Language, typer.Argument(help="Language of the client.")],
    output: Annotated[Path, typer.Option(help="Folder to write.", file_okay=False)],
) -> None:
    """Generate a typed client of the API. Needs the registry of the language's packages."""
    from cli.clients import LANGUAGES

    try:
        LANGUAGES[language](output)
    except subprocess.CalledProcessError as failed:
        fail(f"The generator failed:\n{failed.stdout}{failed.stderr}")
    except OSError as failure:
        fail(f"The client cannot be generated: {failure}")
    print(f"{output}: see docs/client-{language}.md for its use.")
