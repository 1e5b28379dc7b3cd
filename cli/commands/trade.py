"""Commands that import, trade and book through a running API."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.commands.options import DEFAULT_DATA, Data, Url, fail, require_tenant
from cli.commands.running import api_of, running, use_server

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


def seed(
    tenant: Annotated[str, typer.Option(help="Tenant to make.")] = "demo",
    data: Data = DEFAULT_DATA,
) -> None:
    """Make a shop to look at on the running server: a month of orders, stock and books."""
    from cli.progress import progress
    from domain.common.errors import InvalidState, Unavailable
    from local.addresses import allow_test_domains
    from local.samples.demo_shop import DAYS, demo_shop

    require_tenant(tenant)
    server = running(data)
    use_server(server)
    allow_test_domains()
    with demo_shop(tenant) as (shop, days), progress() as bar:
        try:
            shop.open()
        except InvalidState:
            fail(f"There is a tenant {tenant}. Name another with --tenant.")
        except Unavailable:
            fail(f"The server on {data} does not answer. Start it again.")
        trading = bar.add_task(f"{DAYS} days of trade", total=DAYS)
        for day in days:
            shop.trade(day)
            bar.advance(trading)
        shop.leave_open()
    statuses = ", ".join(f"{count} {status}" for status, count in shop.statuses.most_common())
    print(f"{tenant}: {len(shop.items)} items, {len(shop.customers)} customers, orders: {statuses}.")
    print(f"To call the API as its owner: uv run tradepost login --tenant {tenant} --email {shop.owner_email}")


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(help="CSV files of invoice lines, one a day.", exists=True, dir_okay=False),
    ],
    currency: Annotated[str, typer.Option(help="Currency of the prices (ISO 4217).")],
    tenant: Annotated[str, typer.Option(help="Tenant in which to trade.")] = "acme",
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Replay trading days through the running API and compare the sums. Another replay repeats no command."""
    from cli.replay import replay as replaying

    with api_of(tenant, url, data, user=_REPLAYING) as (base, bearer):
        agreed = replaying.replay(files, currency, base, bearer)
    if not agreed:
        raise typer.Exit(1)


def book(
    resource: Annotated[str, typer.Argument(help="Name or id of the resource.")],
    on: Annotated[datetime, typer.Option(help="Day, in the resource's time zone.", formats=["%Y-%m-%d"])],
    at: Annotated[
        datetime | None, typer.Option(help="Time to book. Without it, free times are printed.", formats=["%H:%M"])
    ] = None,
    minutes: Annotated[int | None, typer.Option(help="Length. Default: the shortest possible.", min=1)] = None,
    units: Annotated[int, typer.Option(help="Units to book.", min=1)] = 1,
    confirm: Annotated[bool, typer.Option("--confirm", help="Confirm at once, instead of holding.")] = False,
    tenant: Annotated[str, typer.Option(help="Tenant whose resource to book.")] = "acme",
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print the times at which a resource is free on a day, or book one of them."""
    from cli import booking
    from cli.api_client import ApiError, Client
    from domain.bookings.hours import instant

    require_tenant(tenant)
    with api_of(tenant, url, data) as (base, bearer), Client(base, bearer) as api:
        try:
            found = booking.resource_named(api, resource)
            if at is None:
                times = booking.free_times(api, found, on.date(), minutes, units)
                print("\n".join(times) or "Nothing is free on this day.")
                return
            start = instant(on.date(), f"{at:%H:%M}", ZoneInfo(found["timezone"]))
            made = booking.book(api, found, start, minutes, units, confirm=confirm)
        except ApiError as refused:
            fail(str(refused))
    print(booking.described(made, found))
