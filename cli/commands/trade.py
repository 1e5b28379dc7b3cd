"""Commands that import and trade through a running API."""

from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from cli.commands.options import DEFAULT_DATA, Data, Url, fail, url_of
from domain.identity.permissions import Role

_REPLAYING = "00000000-0000-4000-8000-00000000da11"
"""User of replays: always the same, as idempotency keys belong to a user."""


def import_items(
    file: Annotated[Path, typer.Argument(help="CSV file with a header.", exists=True, dir_okay=False)],
    currency: Annotated[str, typer.Option(help="Currency of the prices (ISO 4217).")],
    tenant: Annotated[str, typer.Option(help="Tenant of the catalogue.")] = "acme",
    sku: Annotated[str, typer.Option(help="Column with the SKU.")] = "StockCode",
    name: Annotated[str, typer.Option(help="Column with the name.")] = "Description",
    price: Annotated[str, typer.Option(help="Column with the price.")] = "UnitPrice",
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Import a catalogue from a CSV file. The last line of a SKU wins; existing items are not changed."""
    from cli.api_client import FAILURES, failed
    from cli.import_items import Columns, load
    from local.tokens import mint, signing_key

    base = url_of(url, data)
    bearer = mint(signing_key(data), tenant=tenant, role=Role.OWNER, user=str(uuid4()))
    try:
        imported = load(file, Columns(sku, name, price), currency, base, bearer)
    except FAILURES as failure:
        fail(failed(failure, base))
    if not imported:
        raise typer.Exit(1)


def replay(
    file: Annotated[Path, typer.Argument(help="CSV file of invoice lines.", exists=True, dir_okay=False)],
    currency: Annotated[str, typer.Option(help="Currency of the prices (ISO 4217).")],
    tenant: Annotated[str, typer.Option(help="Tenant in which to trade.")] = "acme",
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Replay a trading day through the running API and compare the sums. Another replay repeats no command."""
    from cli.api_client import FAILURES, failed
    from cli.replay import replay as replaying
    from local.tokens import mint, signing_key

    base = url_of(url, data)
    bearer = mint(signing_key(data), tenant=tenant, role=Role.OWNER, user=_REPLAYING)
    try:
        agreed = replaying.replay(file, currency, base, bearer)
    except FAILURES as failure:
        fail(failed(failure, base))
    if not agreed:
        raise typer.Exit(1)
