"""Command line: `uv run tradepost …`."""

import sys

import typer

from cli.commands.clients import client
from cli.commands.functions import deploy_local, event, invoke, openapi, rehearse
from cli.commands.operations import audit, redrive, statement
from cli.commands.restore import restore
from cli.commands.serve import serve, status
from cli.commands.tokens import login, token
from cli.commands.trade import import_items, replay, seed

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
importing = typer.Typer(no_args_is_help=True, help="Load data through the running API.")
app.add_typer(importing, name="import")

for command in (
    serve,
    status,
    token,
    login,
    invoke,
    event,
    rehearse,
    openapi,
    client,
    seed,
    replay,
    audit,
    statement,
    redrive,
    restore,
):
    app.command()(command)
app.command("deploy-local")(deploy_local)
importing.command("items")(import_items)


def main() -> None:
    """Run the command line."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    app()


if __name__ == "__main__":
    main()
