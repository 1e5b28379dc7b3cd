"""Audit of discounts: their uses are those of orders that were not cancelled and have not expired."""

from collections.abc import Iterator

from cli.audit.reading import Reading, broken_unless
from repositories.discounts.rows import COLLECTION
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row


def check_discounts(reading: Reading) -> Iterator[None]:
    """Check every discount, and record those that differ from the orders."""
    for rows in reading.listed(COLLECTION):
        for row in rows:
            discount_id = row["head"]["id"]
            differs = discount_difference(reading, discount_id)
            if differs:
                reading.state.differing[discount_id] = differs
            yield
    for discount_id in reading.state.used:
        there = reading.table.get(keys.discount(reading.tenant, discount_id))
        broken_unless(there, f"Orders use discount {discount_id}, which is not there.")


def discount_changes(reading: Reading, discount_id: str) -> list[int]:
    """Return the change counter of a discount."""
    return [_rows(reading, discount_id)[0]["changes"]]


def discount_difference(reading: Reading, discount_id: str) -> str:
    """Return the difference between a discount's uses and the orders, or an empty string."""
    discount, *uses = _rows(reading, discount_id)
    used = reading.state.used.get(discount_id, {})
    if discount["uses"] != sum(used.values()):
        return f"it has {discount['uses']} uses, and orders {sum(used.values())}"
    counted = {row["sk"].partition("#")[2]: row["uses"] for row in uses}
    for customer in sorted(counted | used):
        if counted.get(customer, 0) != used.get(customer, 0):
            return f"customer {customer} has {counted.get(customer, 0)} uses, and orders {used.get(customer, 0)}"
    return ""


def _rows(reading: Reading, discount_id: str) -> list[Row]:
    """Return the row of a discount, and those of its uses by customers."""
    rows = [*reading.table.whole_partition(keys.discount(reading.tenant, discount_id).pk)]
    broken_unless(rows and rows[0]["type"] == "discount", f"Discount {discount_id} is listed and not there.")
    return rows
