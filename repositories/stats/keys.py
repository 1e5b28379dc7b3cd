"""Keys of sales figures."""

from datetime import date, timedelta

from domain.stats import Counter
from repositories.dynamodb.keys import SHARDS, Key, tenant_pk


def counted(tenant: str, order_id: str) -> Key:
    """Return the key of what has been counted of an order, in the partition of the order."""
    return Key(tenant_pk(tenant, "ORDER", order_id), "COUNTED")


def stats(tenant: str) -> Key:
    """Return the key of the generation of a tenant's figures."""
    return Key(tenant_pk(tenant, "STATS"), "STATS")


def sales_pk(tenant: str, generation: int, month: str, of_shard: int) -> str:
    """Return the partition key of the sales of a month, such as `2026-11`."""
    return tenant_pk(tenant, "SALES", str(generation), month, str(of_shard))


def sales_pks(tenant: str, generation: int, first: date, last: date) -> list[str]:
    """Return the partition keys of the sales of all months from the first to the last day."""
    months = dict.fromkeys(f"{first + timedelta(days=n):%Y-%m}" for n in range((last - first).days + 1))
    return [sales_pk(tenant, generation, month, shard) for month in months for shard in range(SHARDS)]


def figures(tenant: str, generation: int, counter: Counter, of_shard: int) -> Key:
    """Return the key of a counter's row; those of sales have one in each shard."""
    if counter.of == "customer":
        return Key(spending_pk(tenant, generation, counter.id), counter.currency)
    pk = sales_pk(tenant, generation, counter.day[:7], of_shard)
    if counter.of == "day":
        return Key(pk, sales_of_day(counter.day, counter.currency))
    return Key(pk, sales_of_item(counter.day, counter.currency, counter.id))


def sales_of_day(day: str, currency: str = "") -> str:
    """Return the sort key of the sales of a day in a currency, or the prefix of all of the day's."""
    return f"DAY#{day}#{currency}"


def sales_of_item(day: str, currency: str = "", item_id: str = "") -> str:
    """Return the sort key of the sales of an item on a day, or the prefix of all of the day's."""
    return f"ITEM#{day}#{currency}#{item_id}" if currency else f"ITEM#{day}#"


def sales_until(prefix: str) -> str:
    """Return an upper bound for the sort keys of sales with the prefix of a day."""
    return f"{prefix}~"


def sales_parts(sk: str) -> tuple[str, str, str]:
    """Return day, currency and item of a sort key of sales; the item is empty if there is none."""
    _, day, currency, *of = sk.split("#")
    return day, currency, "".join(of)


def is_day(sk: str) -> bool:
    """Return whether a sort key of sales is that of a whole day."""
    return sk.startswith("DAY#")


def spending_pk(tenant: str, generation: int, customer_id: str) -> str:
    """Return the partition key of what a customer spent, with one row for each currency."""
    return tenant_pk(tenant, "SPENDING", str(generation), customer_id)
