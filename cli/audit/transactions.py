"""Audit of transactions: they balance and match their chain entries, reversals and orders."""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial

from cli.audit.orders import payment_key
from cli.audit.reading import Reading, broken_unless, require_listed
from domain.ledger.accounts import Direction
from domain.ledger.transactions import signed
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.keys import Key
from repositories.ledger.posting import swapped
from repositories.ledger.rows import TRANSACTIONS, entry_locations, transaction_from_row
from repositories.orders.rows import StoredOrder, order_to_row

_LAG_SECONDS = 1.0


def check_transactions(reading: Reading) -> Iterator[None]:
    """Check every transaction, and that chains contain no entries without a transaction.

    The list is an eventually consistent index: if the counts of entries differ, the transactions are checked once more.
    """
    state = reading.state
    yield from _check_listed(reading)
    if state.listed != state.chained:
        reading.sleep(_LAG_SECONDS)
        state.listed, state.place = 0, []
        yield from _check_listed(reading)
    broken_unless(state.listed == state.chained, f"Chains have {state.chained} entries, transactions {state.listed}.")


def _check_listed(reading: Reading) -> Iterator[None]:
    state = reading.state
    for found in reading.listed(TRANSACTIONS):
        rows = reading.table.batch_get(Key(each["pk"], each["sk"]) for each in found)
        for row in rows.values():
            if row["head"]["posted_at"] <= state.until:
                _check_transaction(reading, row)
                yield


def _check_transaction(reading: Reading, row: Row) -> None:
    head, places = row["head"], entry_locations(row)
    name = f"Transaction {head['id']}"
    sums: dict[str, int] = defaultdict(int)
    wanted = {keys.entry(reading.tenant, place[0], place[4], place[5]): place for place in places}
    entries = reading.table.batch_get(wanted)
    for key, (account_id, direction, amount, currency, _, number) in wanted.items():
        sums[currency] += signed(Direction(direction), amount)
        found = entries.get(key, {})
        entry = [found.get(each) for each in ("transaction_id", "direction", "amount", "currency", "posted_at")]
        wrong = f"{name}: entry {number} of {account_id} is missing, or another's."
        broken_unless(entry == [head["id"], direction, amount, currency, head["posted_at"]], wrong)
    broken_unless(not any(sums.values()), f"{name} does not balance.")
    if "reverses" in head:
        reading.require(partial(_check_reversal, reading, head["reverses"], head["id"]))
    if "reversed_by" in head:
        reading.require(partial(_check_reversal, reading, head["id"], head["reversed_by"]))
    if "order_id" in head:
        reading.require(partial(_check_order_of, reading, row))
    reading.state.listed += len(places)


def _check_reversal(reading: Reading, original_id: str, reversal_id: str) -> None:
    """Check that two transactions refer to each other, and that the second has the entries of the first, swapped."""
    ids = (original_id, reversal_id)
    wanted = [keys.transaction(reading.tenant, each) for each in ids]
    rows = reading.together(wanted)
    for each, key in zip(ids, wanted, strict=True):
        broken_unless(key in rows, f"Transaction {each} is reversed, or reverses another, and is not there.")
    original, reversal = (rows[key] for key in wanted)
    named = (original["head"].get("reversed_by"), reversal["head"].get("reverses"))
    name = f"Transaction {reversal_id}"
    broken_unless(named == (reversal_id, original_id), f"{name} and {original_id} do not name each other.")
    undoes = transaction_from_row(reversal).entries == swapped(transaction_from_row(original).entries)
    broken_unless(undoes, f"{name} does not undo {original_id}.")
    same = original["head"].get("order_id") == reversal["head"].get("order_id")
    broken_unless(same, f"{name} and {original_id} are of different orders.")


def _late_payments(reading: Reading, order_id: str) -> Iterator[str]:
    """Yield the postings of payments by providers of an order, one of which may have come too late."""
    key, last = keys.order(reading.tenant, order_id), keys.payment_of_order(reading.tenant, order_id, "~").sk
    values = {":pk": key.pk, ":first": keys.payment_of_order(reading.tenant, order_id, "").sk, ":last": last}
    for row in reading.table.every("pk = :pk AND sk BETWEEN :first AND :last", values):
        if row["type"] == "order_payment":
            payment = reading.table.get(keys.payment(reading.tenant, row["payment_id"])) or {}
            yield payment.get("transaction_id", "")


def _check_order_of(reading: Reading, row: Row) -> None:
    """Check that a transaction posts or refunds the payment of its order, and that the order is listed."""
    head = row["head"]
    key, payment = keys.order(reading.tenant, head["order_id"]), payment_key(reading, head["order_id"])
    rows = reading.together([key, payment])
    name = f"Transaction {head['id']}"
    broken_unless(key in rows, f"{name} is of order {head['order_id']}, which is not there.")
    stored = StoredOrder.from_row(rows[key])
    paid_by = rows.get(payment, {}).get("transaction_id")
    known = {paid_by, *(refund.transaction_id for refund in stored.order.refunds)} - {None}
    if not {head["id"], head.get("reverses")} & known:
        known = {*_late_payments(reading, head["order_id"])}
    of_order = head["id"] in known or head.get("reverses") in known
    broken_unless(of_order, f"{name} is not the one by which order {head['order_id']} was paid or refunded.")
    expected = order_to_row(reading.tenant, stored.order, stored.holds, stored.paid_by)
    require_listed(rows[key], expected, f"Order {stored.order.id}")
