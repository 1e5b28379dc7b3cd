"""What must hold after every decision of the table."""

from collections import defaultdict
from dataclasses import dataclass, field

from domain.event_data.kinds import KINDS
from domain.orders.order import Order
from domain.orders.reserved import left_stock, still_reserved
from domain.orders.status import OrderStatus
from repositories.dynamodb import work_keys
from repositories.dynamodb.codec import Row
from repositories.orders.rows import StoredOrder
from repositories.payments.postings import collecting_account
from tests.simulation.checks.calendars import check_booking, check_page
from tests.simulation.checks.codes import Codes
from tests.simulation.checks.history import History
from tests.simulation.checks.hooks import Hooks
from tests.simulation.checks.orders import check_change, check_refunded, check_sums, due_postings
from tests.simulation.checks.violation import ViolationError, require
from tests.simulation.world.model import Commit, Model


@dataclass(slots=True)
class Watch:
    """Looks at each decision, and remembers what was so."""

    model: Model
    history: History = field(default_factory=History)
    held: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    shipped: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    events: dict[str, int] = field(default_factory=dict)
    """By subject: the number of its last event."""
    event_times: dict[str, str] = field(default_factory=dict)
    """By subject: the time of its last event."""
    told: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """Events by kind."""
    ends: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    """By chain: number, balance and time of its last entry."""
    accounts: dict[str, Row] = field(default_factory=dict)
    codes: Codes = field(default_factory=Codes)
    hooks: Hooks = field(default_factory=Hooks)
    items_of: dict[str, list[str]] = field(default_factory=dict)
    """By order: its items."""
    owners: set[str] = field(default_factory=set)
    revoked: dict[str, tuple[float, int]] = field(default_factory=dict)
    """By user: when their tokens were last voided, and which (those issued before, in seconds of the epoch)."""
    reversed_at: dict[str, float] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """By item: its names, one for each edit."""
    versions: dict[str, int] = field(default_factory=dict)
    """By item: its version as clients see it."""
    called: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By user: the names that they had before they were erased."""

    def __call__(self, commit: Commit) -> None:
        """Check a decision. Raises ViolationError."""
        items = set()
        for key, row in commit.after.items():
            before = commit.before[key]
            kind = (row or before or {"type": ""})["type"]
            if kind in {"item", "stock"}:
                items.add(key[0])
            look = getattr(self, f"_{kind}", None)
            if look:
                look(commit, before, row)
        for pk in sorted(items):
            self._check_item(commit, pk)
        self._check_posting(commit)
        for key, row in commit.after.items():
            if row and row["type"] == "order" and commit.before[key] and "gsi3pk" not in row:
                before = commit.before[key] or {}
                self._check_posted(commit, StoredOrder.from_row(before).order, StoredOrder.from_row(row))
        self.codes.check(commit, self.model, self.history)
        self.hooks.check(commit)

    def paid_orders(self) -> int:
        """Return the number of orders that have been paid."""
        orders = (StoredOrder.from_row(row).order for row in self.model.rows.values() if row["type"] == "order")
        return sum(order.payment_status != "unpaid" for order in orders)

    def _page(self, commit: Commit, _before: Row | None, row: Row | None) -> None:
        if row:
            check_page(commit, self.model, self.history, row)

    def _booking(self, _commit: Commit, before: Row | None, row: Row | None) -> None:
        check_booking(before, row)

    def _delivery(self, _commit: Commit, before: Row | None, row: Row | None) -> None:
        require(not (before and row) or before["body"] == row["body"], "What is delivered was changed.")

    def _counted(self, _commit: Commit, before: Row | None, row: Row | None) -> None:
        was = before or {}
        less = [
            name for name, number in (row or {}).items() if name.startswith("counted_") and number < was.get(name, 0)
        ]
        require(row and not less, "What was counted is so no more.")

    def _order(self, commit: Commit, before: Row | None, row: Row | None) -> None:
        require(row, "An order was removed.")
        after = StoredOrder.from_row(row or {})
        was = StoredOrder.from_row(before) if before else None
        name = after.order.id
        if before and row and work_keys.is_postponed(row, before):
            same = {name: value for name, value in row.items() if not name.startswith("gsi3")}
            require(before == before | same, f"{name} was changed by putting off its expiry.")
            return
        check_sums(after.order)
        if was is None:
            require(after.order.status is OrderStatus.PENDING, f"{name} began as {after.order.status}.")
            self._check_sold(after)
            self.items_of[name] = [line.item_id for line in after.order.lines]
        else:
            check_change(was.order, after.order)
        self.codes.count(was.order if was else None, after.order)
        for stored, sign in ((was, -1), (after, 1)):
            for hold in still_reserved(stored.order, stored.holds) if stored else ():
                self.held[hold.item_id][hold.shard] += sign * hold.units
            for item_id, units in left_stock(stored.order, stored.holds).items() if stored else ():
                self.shipped[item_id] += sign * units
        self.history.add(("order", name), after.order.status, commit.decided, commit.complete)
        self.history.add(("whole order", name), after.order, commit.decided, commit.complete)

    def _check_posted(self, commit: Commit, was: Order, stored: StoredOrder) -> None:
        """Check that a payment or refund is posted by account, as the order says."""
        order, provider = stored.order, stored.paid_by.provider if stored.paid_by else "manual"
        posted: dict[str, int] = {}
        for (pk, _), row in commit.after.items():
            if row and row["type"] == "entry":
                part = self.accounts[_account_pk(pk)]["head"]["code"].split(".")[1]
                posted[part] = row["amount"] if row["direction"] == "debit" else -row["amount"]
        wanted = due_postings(was, order, collecting_account(provider))
        require(posted == wanted, f"{order.id} is {order.status}, and {posted} is posted instead of {wanted}.")
        check_refunded(order)

    def _check_sold(self, stored: StoredOrder) -> None:
        """Check that what is sold is sold, at the price that it has at this moment."""
        prefix = next(pk for pk, _ in self.model.rows).partition("#ITEM")[0].split("#")[1]
        for line in stored.order.lines:
            if line.booking_id:
                continue
            row = self.model.rows[f"T#{prefix}#ITEM#{line.item_id}", "STOCK"]
            require(row["price"] == line.unit_price.minor, f"{stored.order.id} was placed at another price.")
            require(row["sellable"], f"{stored.order.id} has an item that is not sold.")

    def _event(self, _commit: Commit, before: Row | None, row: Row | None) -> None:
        if row is None:
            return
        if before is not None:
            require(before | {"relayed": True} == row, "An event was overwritten.")
            return
        for event in row["events"]:
            subject, sequence = event["subject"], event["sequence"]
            last = self.events.get(subject, 0)
            require(sequence == last + 1, f"Event {sequence} of {subject} follows {last}.")
            self.events[subject] = sequence
            KINDS[event["kind"]].model_validate(event["data"])
            require(
                row["at"] >= self.event_times.get(subject, ""), f"Event {sequence} of {subject} is before the last."
            )
            self.event_times[subject] = row["at"]
            self.told[event["kind"]].append(event)

    def _account(self, commit: Commit, before: Row | None, row: Row | None) -> None:
        if not row:
            raise ViolationError("An account was removed.")
        require(before is None or row["version"] == before["version"] + 1, "An account missed a version.")
        self.accounts[row["pk"]] = row
        codes = [each["head"]["code"] for each in self.accounts.values()]
        require(len(codes) == len(set(codes)), f"Two accounts have one code: {codes}")
        for kind in ("balance", "whole") if before is None else ():
            self.history.add((kind, row["head"]["id"]), 0, commit.decided, commit.complete)

    def _entry(self, commit: Commit, before: Row | None, row: Row | None) -> None:
        require(before is None and row is not None, "An entry was changed.")

    def _transaction(self, commit: Commit, before: Row | None, row: Row | None) -> None:
        if row and "reversed_by" in row["head"]:
            require("reversed_by" not in (before or {"head": {}})["head"], "A transaction was reversed twice.")
            self.reversed_at[row["head"]["id"]] = commit.decided

    def _tenant(self, commit: Commit, before: Row | None, row: Row | None) -> None:
        if row:
            version = before["version"] if before else 0
            require(row["version"] == version + 1, f"The tenant's version {row['version']} follows {version}.")
            self.history.add("tenant", row["head"]["name"], commit.decided, commit.complete)

    def _sweep(self, _commit: Commit, before: Row | None, row: Row | None) -> None:
        if before and row:
            require(row["sweep_minute"] >= before["sweep_minute"], "The sweeper's mark went back.")

    def _user(self, commit: Commit, before: Row | None, row: Row | None) -> None:
        require(row is not None, "A user's row was removed.")
        head = (row or {})["head"]
        if before and before["head"]["status"] == "deleted":
            raise ViolationError(f"The erased user {head['id']} rose again.")
        if head["status"] != "deleted":
            self.called[head["id"]].add(head["name"])
        if head["role"] == "owner" and head["status"] == "active":
            self.owners.add(head["id"])
        else:
            self.owners.discard(head["id"])
        require(self.owners, "The tenant has no owner.")
        self.history.add(("user", head["id"]), (head["role"], head["status"]), commit.decided, commit.complete)

    def _email(self, commit: Commit, _before: Row | None, row: Row | None) -> None:
        pk = next(key[0] for key, each in commit.after.items() if each is row and "EMAIL" in key[0])
        self.history.add(("email", pk), row and row["user_id"], commit.decided, commit.complete)

    def _revocation(self, commit: Commit, _before: Row | None, row: Row | None) -> None:
        if row:
            subject = row["pk"].rpartition("#")[2]
            self.history.add(("revoked", subject), True, commit.decided, commit.complete)
            self.revoked[subject] = (commit.complete, row["issued_before"])

    def _check_item(self, commit: Commit, pk: str) -> None:
        rows = self.model.rows
        item, first = rows.get((pk, "ITEM")), rows.get((pk, "STOCK"))
        require(item and first, f"{pk} has lost a row.")
        if not item or not first:
            return
        name = item["head"]["id"]
        stock = [first, *(rows[pk, f"STOCK#{n:02}"] for n in range(1, 17) if (pk, f"STOCK#{n:02}") in rows)]
        require(len(stock) == first["bucket_rows"], f"{name} has {len(stock)} rows of {first['bucket_rows']}.")
        for shard, row in enumerate(stock):
            require(row["edits"] == item["edits"], f"{name}, shard {shard}, missed an edit.")
            require(row["price"] == item["head"]["price"], f"{name}, shard {shard}, has another price.")
        version = item["edits"] + sum(row["changes"] for row in stock)
        require(version > self.versions.get(name, 0), f"{name} changed, and its version {version} did not.")
        self.versions[name] = version
        self._check_sku(commit, name, item["head"]["sku"])
        if len(self.names[name]) < item["edits"]:
            self.names[name].append(item["head"]["name"])
        self.history.add(("edits", name), item["edits"], commit.decided, commit.complete)
        self.history.add(("status", name), item["head"]["status"], commit.decided, commit.complete)
        if "on_hand" in first:
            self._check_units(commit, name, stock)

    def _check_sku(self, commit: Commit, name: str, sku: str | None) -> None:
        if sku and self.history.last(("sku of", name)) != sku:
            others = [each for each in self.names if each != name and self.history.last(("sku of", each)) == sku]
            require(not others, f"{name} has the SKU of {others}.")
        if self.history.last(("sku of", name)) != sku:
            self.history.add(("sku of", name), sku, commit.decided, commit.complete)

    def sku_was_taken(self, sku: str, since: float, until: float) -> bool:
        """Return whether an item may have been seen with a SKU between two moments."""
        return any(sku in self.history.possible(("sku of", item), since, until) for item in self.names)

    def _check_units(self, commit: Commit, name: str, stock: list[Row]) -> None:
        for shard, row in enumerate(stock):
            units = row["on_hand"], row["reserved"], row["available"]
            require(units[0] - units[1] == units[2] >= 0 <= units[1], f"{name}, shard {shard}: {units}")
            held = self.held[name][shard]
            require(row["reserved"] == held, f"{name}, shard {shard}: {row['reserved']} reserved, {held} held.")
        on_hand, shipped = sum(row["on_hand"] for row in stock), self.shipped[name]
        received = stock[0]["received"]
        require(on_hand + shipped == received, f"{name}: {on_hand} on hand, {shipped} shipped, {received} received.")
        counted = sum(
            each["data"]["delta"] for each in self.told["StockAdjusted"] if each["subject"] == f"{name}/stock"
        )
        first = self.history.last(("received", name))
        if first is None:
            self.history.add(("received", name), received, commit.decided, commit.complete)
            first = received
        require(received == first + counted, f"{name}: {received} received, {first} and {counted} were counted.")
        available = sum(row["available"] for row in stock)
        self.history.add(("available", name), available, commit.decided, commit.complete)

    def _check_posting(self, commit: Commit) -> None:
        """Check that entries go on with their chains, keep floors, and balance."""
        entries = sorted((key, row) for key, row in commit.after.items() if row and row["type"] == "entry")
        sums: dict[str, int] = defaultdict(int)
        for (pk, _), row in entries:
            number, balance, at = self.ends.get(pk, (0, 0, ""))
            account = self.accounts[_account_pk(pk)]["head"]
            grows = row["direction"] == ("debit" if account["type"] in {"asset", "expense"} else "credit")
            balance += row["amount"] if grows else -row["amount"]
            name = f"Entry {row['sequence']} of {account['code']}"
            require(row["sequence"] == number + 1, f"{name} follows {number}.")
            require(row["balance"] == balance, f"{name} has balance {row['balance']}, not {balance}.")
            require(row["posted_at"] >= at, f"{name} is older than the one before.")
            require(account["status"] == "open", f"{name} was posted to a closed account.")
            require(account["floor"] is None or grows or balance >= 0, f"{name} crosses the floor.")
            self.ends[pk] = (row["sequence"], balance, row["posted_at"])
            sums[row["currency"]] += row["amount"] if row["direction"] == "debit" else -row["amount"]
            self.history.add(("balance", account["id"]), balance, commit.decided, commit.complete)
        require(not any(sums.values()), "A posting does not balance.")
        for account in {_account_pk(pk) for (pk, _), _ in entries}:
            total = sum(balance for pk, (_, balance, _) in self.ends.items() if _account_pk(pk) == account)
            self.history.add(("whole", account.rpartition("#")[2]), total, commit.decided, commit.complete)

    def settled_balances(self, account: str, since: float, until: float) -> set[int]:
        """Return the balances that an account had between two transactions."""
        return set(self.history.possible(("whole", account), since, until))


def _account_pk(pk: str) -> str:
    parts = pk.split("#")
    return "#".join(parts[: parts.index("ACCOUNT") + 2])
