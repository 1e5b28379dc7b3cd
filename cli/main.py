"""Command line: `uv run tradepost …`."""

import sys

import typer

from cli.commands.clients import client
from cli.commands.events import listen
from cli.commands.events import replay as replay_events
from cli.commands.exports import export, export_table
from cli.commands.functions import deploy_local, event, invoke, openapi, rehearse
from cli.commands.operations import audit, redrive, statement
from cli.commands.providers import check
from cli.commands.reports import sales
from cli.commands.restore import restore
from cli.commands.serve import serve, status
from cli.commands.stats import rebuild
from cli.commands.tokens import login, token
from cli.commands.trade import book, import_items, replay, seed

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
stats = typer.Typer(no_args_is_help=True, help="Sales figures.")
app.add_typer(stats, name="stats")
events = typer.Typer(no_args_is_help=True, help="Events of the last 30 days.")
app.add_typer(events, name="events")
report = typer.Typer(no_args_is_help=True, help="Reports for people.")
app.add_typer(report, name="report")
providers = typer.Typer(no_args_is_help=True, help="Payment providers.")
app.add_typer(providers, name="providers")
importing = typer.Typer(no_args_is_help=True, help="Load data through the running API.")
app.add_typer(importing, name="import")

for command in (
    serve,
    status,
    token,
    login,
    invoke,
    event,
    listen,
    rehearse,
    openapi,
    client,
    seed,
    book,
    export,
    replay,
    audit,
    statement,
    redrive,
    restore,
):
    app.command()(command)
app.command("deploy-local")(deploy_local)
app.command("export-table")(export_table)
importing.command("items")(import_items)
stats.command()(rebuild)
providers.command()(check)
report.command()(sales)
events.command("replay")(replay_events)


def main() -> None:
    """Run the command line."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    app()


if __name__ == "__main__":
    main()
