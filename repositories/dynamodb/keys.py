"""Keys of the table. Only this module, `work_keys`, and the `keys` of stats and webhooks define their format.

All partition keys of the base table, gsi1 and gsi2 begin with `T#<tenant>#`, so that one
`dynamodb:LeadingKeys` condition can restrict access to a tenant.
"""

import hashlib
from datetime import datetime
from typing import NamedTuple

from domain.common.model import to_rfc3339

SHARDS = 4
"""Number of partitions over which a list, a day of events, or a minute of due work is spread."""


_NO_TENANT = "-"
"""Stands for the tenant in keys of rows that belong to none; no tenant's id is as short."""


class Key(NamedTuple):
    """The primary key of a row."""

    pk: str
    sk: str


class Position(NamedTuple):
    """The position of a row in a list: a time, such as its creation, and its id."""

    at: str
    id: str

    @property
    def sk(self) -> str:
        """The position as a sort key."""
        return f"{self.at}#{self.id}"


def tenant_prefix(tenant: str) -> str:
    """Return the prefix of all partition keys of a tenant."""
    return f"T#{tenant}#"


def tenant_of(pk: str) -> str:
    """Return the tenant of a partition key."""
    return pk.split("#")[1]


def tenant_pk(tenant: str, *parts: str) -> str:
    """Return a partition key of a tenant."""
    return tenant_prefix(tenant) + "#".join(parts)


def shard(of_id: str) -> int:
    """Return the shard of an id: always the same for one id, and evenly distributed over ids."""
    return hashlib.blake2s(of_id.encode(), digest_size=2).digest()[0] % SHARDS


def item(tenant: str, item_id: str) -> Key:
    """Return the key of an item's row."""
    return Key(tenant_pk(tenant, "ITEM", item_id), "ITEM")


def stock(tenant: str, item_id: str, shard: int = 0) -> Key:
    """Return the key of one shard of an item's stock, in the item's partition. Every item has shard 0."""
    return Key(tenant_pk(tenant, "ITEM", item_id), f"STOCK#{shard:02}" if shard else "STOCK")


def sku(tenant: str, code: str) -> Key:
    """Return the key of the marker that keeps a SKU unique in its tenant."""
    return Key(tenant_pk(tenant, "SKU", code), "SKU")


def tenant(tenant_id: str) -> Key:
    """Return the key of a tenant's row."""
    return Key(tenant_pk(tenant_id, "TENANT"), "TENANT")


def tenant_pks() -> list[str]:
    """Return the gsi1 partition keys of the list of all tenants."""
    return list_pks(_NO_TENANT, "TENANT")


def listed_tenant(position: Position) -> dict[str, str]:
    """Return the gsi1 attributes that put a tenant's row into the list of all tenants."""
    return listed(_NO_TENANT, "TENANT", position)


def user(tenant: str, user_id: str) -> Key:
    """Return the key of a user's row."""
    return Key(tenant_pk(tenant, "USER", user_id), "USER")


def email(tenant: str, canonical: str) -> Key:
    """Return the key of the marker that keeps an e-mail address unique in its tenant. The address is hashed."""
    return Key(tenant_pk(tenant, "EMAIL", hashlib.sha256(canonical.encode()).hexdigest()), "EMAIL")


def revocation(tenant: str, user_id: str) -> Key:
    """Return the key of a user's token revocation."""
    return Key(tenant_pk(tenant, "REVOCATION", user_id), "REVOCATION")


def order(tenant: str, order_id: str) -> Key:
    """Return the key of an order's row."""
    return Key(tenant_pk(tenant, "ORDER", order_id), "ORDER")


def payment(tenant: str, payment_id: str) -> Key:
    """Return the key of a payment's row."""
    return Key(tenant_pk(tenant, "PAYMENT", payment_id), "PAYMENT")


def payment_of_order(tenant: str, order_id: str, payment_id: str) -> Key:
    """Return the key of the row that lists a payment by a provider with its order, in the partition of the order."""
    return Key(tenant_pk(tenant, "ORDER", order_id), f"PAYMENT#{payment_id}")


def provider(tenant: str, name: str) -> Key:
    """Return the key of a payment provider of a tenant."""
    return Key(tenant_pk(tenant, "PROVIDER", name), "PROVIDER")


def circuit(tenant: str, provider: str) -> Key:
    """Return the key of the circuit of a payment provider of a tenant."""
    return Key(tenant_pk(tenant, "PROVIDER", provider), "CIRCUIT")


def provider_cursor(tenant: str, provider: str) -> Key:
    """Return the key of the row that says how far the balance of a payment provider of a tenant is in the books."""
    return Key(tenant_pk(tenant, "PROVIDER", provider), "CURSOR")


def movement(tenant: str, provider: str, movement_id: str) -> Key:
    """Return the key of a movement of the balance at a payment provider."""
    return Key(tenant_pk(tenant, "MOVEMENT", provider, movement_id), "MOVEMENT")


def dispute(tenant: str, provider: str, dispute_id: str) -> Key:
    """Return the key of a dispute at a payment provider."""
    return Key(tenant_pk(tenant, "DISPUTE", provider, dispute_id), "DISPUTE")


def payout(tenant: str, provider: str, payout_id: str) -> Key:
    """Return the key of a payout of a payment provider."""
    return Key(tenant_pk(tenant, "PAYOUT", provider, payout_id), "PAYOUT")


def inbox(tenant: str, provider: str, event_id: str) -> Key:
    """Return the key of an event that a payment provider has sent."""
    return Key(tenant_pk(tenant, "INBOX", provider, event_id), "INBOX")


def first_payment(tenant: str, order_id: str) -> Key:
    """Return the key of the payment of an order that does not name the one that paid it, as it is older than that."""
    return Key(tenant_pk(tenant, "ORDER", order_id), "PAYMENT#1")


def discount(tenant: str, discount_id: str) -> Key:
    """Return the key of a discount's row."""
    return Key(tenant_pk(tenant, "DISCOUNT", discount_id), "DISCOUNT")


def discount_use(tenant: str, discount_id: str, customer_id: str) -> Key:
    """Return the key of a customer's uses of a discount, in the partition of the discount."""
    return Key(tenant_pk(tenant, "DISCOUNT", discount_id), f"USES#{customer_id}")


def account(tenant: str, account_id: str) -> Key:
    """Return the key of an account's row: the last one in the partition of its first stripe."""
    return Key(chain_pk(tenant, account_id, 0), "SELF")


def account_code(tenant: str, code: str) -> Key:
    """Return the key of the marker that keeps an account's code unique, in the register of the tenant's accounts."""
    return Key(tenant_pk(tenant, "CODE"), code)


def chain_pk(tenant: str, account_id: str, stripe: int) -> str:
    """Return the partition key of one stripe of an account's entries."""
    return tenant_pk(tenant, "ACCOUNT", account_id, *([str(stripe)] if stripe else []))


def entry(tenant: str, account_id: str, stripe: int, sequence: int) -> Key:
    """Return the key of an entry. Entries of a stripe sort by sequence number, before the account's row."""
    return Key(chain_pk(tenant, account_id, stripe), f"ENTRY#{sequence:012}")


def transaction(tenant: str, transaction_id: str) -> Key:
    """Return the key of a ledger transaction's row."""
    return Key(tenant_pk(tenant, "TXN", transaction_id), "TXN")


def referring(tenant: str, reference: str) -> str:
    """Return the gsi2 partition key of the ledger transactions with a reference; hashed, so any character may occur."""
    return tenant_pk(tenant, "REF", hashlib.sha256(reference.encode()).hexdigest())


def idempotency(tenant: str, scope: str) -> Key:
    """Return the key of a command's idempotency record; `scope` is a digest."""
    return Key(tenant_pk(tenant, "IDEMPOTENCY", scope), "IDEMPOTENCY")


def event(tenant: str, at: datetime, event_id: str) -> Key:
    """Return the key of a transaction's events: partitioned by day and shard, sorted by time."""
    return Key(_event_pk(tenant, at, shard(event_id)), f"{to_rfc3339(at)}#{event_id}")


def event_pks(tenant: str, day: datetime) -> list[str]:
    """Return the partition keys of a day's events."""
    return [_event_pk(tenant, day, n) for n in range(SHARDS)]


def events_until(at: str) -> str:
    """Return an upper bound for the sort keys of the events up to a time, in RFC 3339 format."""
    return f"{at}#~"


def _event_pk(tenant: str, day: datetime, of_shard: int) -> str:
    return tenant_pk(tenant, "EVENT", f"{day:%Y-%m-%d}", str(of_shard))


def usage(tenant: str, window: int) -> Key:
    """Return the key of the function time that a tenant used in a window, named by its first second."""
    return Key(tenant_pk(tenant, "USAGE"), str(window))


def health() -> Key:
    """Return the key that the health check reads. It has no row."""
    return Key(tenant_pk(_NO_TENANT, "HEALTH"), "HEALTH")


def list_pk(tenant: str, collection: str, of_shard: int) -> str:
    """Return the gsi1 partition key of one shard of a list, such as `ITEM`."""
    return tenant_pk(tenant, collection, str(of_shard))


def list_pks(tenant: str, collection: str) -> list[str]:
    """Return the gsi1 partition keys of all shards of a list."""
    return [list_pk(tenant, collection, n) for n in range(SHARDS)]


def customers_orders(tenant: str, user_id: str) -> str:
    """Return the gsi2 partition key of a customer's orders."""
    return tenant_pk(tenant, "USER", user_id, "ORDER")


def listed(tenant: str, collection: str, position: Position) -> dict[str, str]:
    """Return the gsi1 attributes that put a row into a list."""
    return {"gsi1pk": list_pk(tenant, collection, shard(position.id)), "gsi1sk": position.sk}


def listed_below(pk: str, position: Position) -> dict[str, str]:
    """Return the gsi2 attributes that put a row into the list of its parent."""
    return {"gsi2pk": pk, "gsi2sk": position.sk}


def owner_of(key: Key) -> tuple[str, str]:
    """Return the tenant of a row, and the id of the order or booking whose row it is."""
    _, tenant_id, _, owner_id = key.pk.split("#")
    return tenant_id, owner_id


def sweep_mark(kind: str) -> Key:
    """Return the key of the row with the mark of a kind of work: the minute up to which all of it is done."""
    return Key(tenant_pk(_NO_TENANT, "SWEEP", kind), "SWEEP")
