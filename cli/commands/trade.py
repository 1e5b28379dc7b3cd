"""Commands that import and trade through a running API."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands.options import DEFAULT_DATA, Data, Url
from cli.commands.running import api_of

_REPLAYING = "00000000-0000-4000-8000-00000000da11"
"""User of replays: always the same, as idempotency keys belong to a user."""


def import_items(
    file: Annotated[Path, typer.Argument(help="CSV file with a header.", exists=True, dir_okay=False)],
    currency: Annotated[str, typer.Option(help="Currency of the prices (ISO 4217).")],
    tenant: Annotated[str, typer.Option(help="Tenant of the catalogue.")] = "acme",
    sku: Annotated[str, typer.Option(help="Column with the SKU.")] = "StockCode",
    name: Annotated[str, typer.Option(help="Column with the name.")] = "Description",
    price: Annotated[str, typer.Option(help="Column with the price.")] = "UnitPrice",
    stock: Annotated[str | None, typer.Option(help="Column with the units on hand.")] = None,
    description: Annotated[str | None, typer.Option(help="Column with the description.")] = None,
    tax_class: Annotated[str | None, typer.Option(help="Column with the tax class.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="Column to keep as an attribute; repeatable.")] = None,
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Import a catalogue from a CSV file. The last line of a SKU wins; existing items are not changed."""
    from cli.import_items import Columns, load

    with api_of(tenant, url, data) as (base, bearer):
        columns = Columns(sku, name, price, stock, description, tax_class, tuple(attribute or ()))
        imported = load(file, columns, currency, base, bearer)
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
    from cli.replay import replay as replaying

    with api_of(tenant, url, data, user=_REPLAYING) as (base, bearer):
        agreed = replaying.replay(file, currency, base, bearer)
    if not agreed:
        raise typer.Exit(1)
