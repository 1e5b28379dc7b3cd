"""Commands that show events as they happen, or again."""

import binascii
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.commands.options import DEFAULT_DATA, Data, Url, fail, require_tenant
from cli.commands.running import api_of, running

if TYPE_CHECKING:
    from cli.listening import Event, Forwarder

Types = Annotated[str | None, typer.Option(help="Types of events, separated by commas. Default: all.")]
ForwardTo = Annotated[str | None, typer.Option(help="URL to post each event to, signed by Standard Webhooks.")]
Secret = Annotated[
    str | None, typer.Option(envvar="TRADEPOST_WEBHOOK_SECRET", help="Secret that signs. Default: a new one.")
]
_DAY = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def listen(
    types: Types = None,
    forward_to: ForwardTo = None,
    secret: Secret = None,
    tenant: Annotated[str, typer.Option(help="Tenant whose events to show.")] = "acme",
    bus: Annotated[str | None, typer.Option(help="Bus in AWS: the stack's EventBusName. Default: local.")] = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print events as they happen, until Ctrl-C; they come at least once, and nearly in order."""
    from cli.listening import tapped
    from local.aws.queues import BUS

    require_tenant(tenant)
    wanted, forwarder = _wanted(types), _forwarder(forward_to, secret)
    endpoint = None if bus else running(data)["services"]
    try:
        with tapped(_client("events", endpoint), _client("sqs", endpoint), bus or BUS, tenant, wanted) as tap:
            print(f"Listening to the events of {tenant} (Ctrl-C ends it).", flush=True)
            for event in tap.events():
                _show(event, forwarder)
    except KeyboardInterrupt:
        return
    except (BotoCoreError, ClientError) as failure:
        fail(f"The bus cannot be reached: {failure}")


def _client(service: Literal["events", "sqs"], endpoint: str | None) -> Any:
    """Return a client of a service, of the running server if there is an endpoint."""
    import boto3

    from local.database import ENVIRONMENT

    local = {
        "endpoint_url": endpoint,
        "region_name": ENVIRONMENT["AWS_DEFAULT_REGION"],
        "aws_access_key_id": ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
    }
    create: Any = boto3.client
    return create(service, **(local if endpoint else {}))


def replay(
    start: Annotated[datetime, typer.Option("--from", help="First day or time (UTC).", formats=_DAY)],
    end: Annotated[datetime | None, typer.Option("--to", help="Time of the end. Default: now.", formats=_DAY)] = None,
    types: Types = None,
    forward_to: ForwardTo = None,
    secret: Secret = None,
    tenant: Annotated[str, typer.Option(help="Tenant whose events to show.")] = "acme",
    url: Url = None,
    data: Data = DEFAULT_DATA,
) -> None:
    """Print the events of the last 30 days again, in order, with the ids that they had."""
    require_tenant(tenant)
    wanted, forwarder = _wanted(types), _forwarder(forward_to, secret)
    first, last = start.replace(tzinfo=UTC), end.replace(tzinfo=UTC) if end else datetime.now(UTC)
    if first > last:
        fail("The first time (--from) is after the last (--to).", 2)
    if datetime.now(UTC) - first > timedelta(days=30):
        fail("Events are kept for 30 days.", 2)
    shown = 0
    with api_of(tenant, url, data) as (base, bearer):
        for event in _feed(base, bearer, wanted):
            at = datetime.fromisoformat(event["time"])
            if at >= last:
                break
            if at >= first:
                _show(event, forwarder)
                shown += 1
    print(f"{shown} events.")


def _feed(base: str, bearer: str, types: frozenset[str]) -> "Iterator[Event]":
    """Yield the events of the feed, oldest first, until its end."""
    from cli.api_client import Client

    query = {"limit": "200"} | ({"types": ",".join(sorted(types))} if types else {})
    with Client(base, bearer) as client:
        after: dict[str, str] = {}
        while (page := client.get("/events", **query, **after))["items"]:
            yield from page["items"]
            after = {"after": page["next_cursor"]}


def _wanted(types: str | None) -> frozenset[str]:
    from domain.event_types import TYPES

    wanted = frozenset(types.split(",")) if types else frozenset[str]()
    unknown = sorted(wanted - TYPES.keys())
    if unknown:
        fail(f"There is no type {unknown[0]!r}. There are: {', '.join(TYPES)}.", 2)
    return wanted


def _forwarder(url: str | None, secret: str | None) -> "Forwarder | None":
    from cli.listening import Forwarder

    if url is None:
        return None
    try:
        forwarder = Forwarder(url, secret)
    except (binascii.Error, ValueError):
        fail("The secret must be whsec_ and base64.", 2)
    if not secret:
        print(f"Events are signed with {forwarder.secret}", flush=True)
    return forwarder


def _show(event: "Event", forwarder: "Forwarder | None") -> None:
    outcome = f" → {forwarder.send(event)}" if forwarder else ""
    print(f"{event['time']} {event['type']} {event['subject']} #{event['sequence']}{outcome}", flush=True)
