"""Command that books a resource."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.commands.options import DEFAULT_DATA, Data, Url, fail, require_tenant
from cli.commands.running import api_of


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
