"""Every key of the table. No other module knows how one is spelled.

All partition keys of the base table, gsi1 and gsi2 begin with `T#<tenant>#`, so that one
`dynamodb:LeadingKeys` condition can fence a tenant.
"""

import hashlib
from datetime import datetime
from typing import NamedTuple

from domain.model import to_rfc3339

SHARDS = 4
"""Over how many partitions a list, or an hour of events, is spread."""


class Key(NamedTuple):
    """The primary key of a row."""

    pk: str
    sk: str


class Position(NamedTuple):
    """Where a row stands in a list: the time it was made and its id."""

    at: str
    id: str

    @property
    def sk(self) -> str:
        """The position as a sort key."""
        return f"{self.at}#{self.id}"


def tenant_prefix(tenant: str) -> str:
    """Return what every partition key of a tenant begins with."""
    return f"T#{tenant}#"


def _pk(tenant: str, *parts: str) -> str:
    return tenant_prefix(tenant) + "#".join(parts)


def shard(of_id: str) -> int:
    """Return the shard that an id belongs to: always the same, and spread evenly."""
    return hashlib.blake2s(of_id.encode(), digest_size=2).digest()[0] % SHARDS


def item(tenant: str, item_id: str) -> Key:
    """Return the key of an item's row."""
    return Key(_pk(tenant, "ITEM", item_id), "ITEM")


def stock(tenant: str, item_id: str) -> Key:
    """Return the key of an item's stock row, in the partition of the item."""
    return Key(_pk(tenant, "ITEM", item_id), "STOCK")


def sku(tenant: str, code: str) -> Key:
    """Return the key of the marker that keeps a SKU unique in its tenant."""
    return Key(_pk(tenant, "SKU", code), "SKU")


def tenant(tenant_id: str) -> Key:
    """Return the key of a tenant's row."""
    return Key(_pk(tenant_id, "TENANT"), "TENANT")


def user(tenant: str, user_id: str) -> Key:
    """Return the key of a user's row."""
    return Key(_pk(tenant, "USER", user_id), "USER")


def email(tenant: str, canonical: str) -> Key:
    """Return the key of the marker that keeps an e-mail address unique in its tenant, and does not show it."""
    return Key(_pk(tenant, "EMAIL", hashlib.sha256(canonical.encode()).hexdigest()), "EMAIL")


def revocation(tenant: str, user_id: str) -> Key:
    """Return the key of the row that says which of a user's tokens are void."""
    return Key(_pk(tenant, "REVOCATION", user_id), "REVOCATION")


def idempotency(tenant: str, scope: str) -> Key:
    """Return the key of the record of a command; `scope` is a digest."""
    return Key(_pk(tenant, "IDEMPOTENCY", scope), "IDEMPOTENCY")


def event(tenant: str, at: datetime, event_id: str) -> Key:
    """Return the key of an event: by the hour, sharded, in the order of time."""
    return Key(_pk(tenant, "EVENT", f"{at:%Y-%m-%dT%H}", str(shard(event_id))), f"{to_rfc3339(at)}#{event_id}")


def health() -> Key:
    """Return the key that the health check reads, which holds no row."""
    return Key(_pk("-", "HEALTH"), "HEALTH")


def list_pk(tenant: str, collection: str, of_shard: int) -> str:
    """Return the gsi1 partition of one shard of a list, for instance of `ITEM`."""
    return _pk(tenant, collection, str(of_shard))


def listed(tenant: str, collection: str, position: Position) -> dict[str, str]:
    """Return the gsi1 attributes that put a row into a list."""
    return {"gsi1pk": list_pk(tenant, collection, shard(position.id)), "gsi1sk": position.sk}
