"""Placement of an order: one read of its items' stock, then one transaction that reserves all of it or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.common.environment import chance
from domain.common.errors import InvalidState
from domain.common.events import DomainEvent
from domain.common.ids import is_id
from domain.common.model import json_of
from domain.common.money import Money
from domain.identity.tenants import TenantSettings
from domain.orders.checkout import NewOrder, quantities
from domain.orders.order import Order
from domain.orders.quotes import Offer, Terms, out_of_stock, quote
from domain.stock import Reservation, allocate
from domain.tax import STANDARD_TAX
from repositories.discounts.uses import StoredTerms, count_use, keys_of, terms_of
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, id_exists, require_absent
from repositories.identity.tenant_rows import tenant_fields
from repositories.items import stock
from repositories.items.rows import StockRows
from repositories.orders.rows import order_to_row

if TYPE_CHECKING:
    from repositories.bookings.ordered import BookingLines

MAX_STOCK_STEPS = 90
"""Maximum stock shards, uncounted items, bookings and pages of their calendars of one order. Its refund writes up to as
many, and ten other rows: order, two ledger transactions, five entries, events, idempotency record. DynamoDB's limit is
100 actions."""


@dataclass(slots=True)
class OrderPlacement:
    """A new order that is being placed.

    The first attempt reserves an item with several stock shards from one of them, picked at random without reading it.
    If it has too few units, the next attempt reads a snapshot of all shards and allocates from those with units.
    """

    session: Session
    new: NewOrder
    order_id: str
    _may_guess: bool = True

    def attempt(self) -> Order:
        """Read the items and place the order.

        Raises NotFound, ItemArchived, PriceChanged, DiscountInvalid, ValidationFailed, OutOfStock, InvalidState; Stale
        on a conflict.
        """
        read = read_terms(self.session, self.new)
        rows, settings = read.rows, read.terms.settings
        amounts = quote(self.new, read.terms, self.session.at)
        holds = self._holds(rows)
        self._require_fits(holds, read)
        order = Order.placed(
            self.order_id,
            self.new,
            amounts,
            by=self.session.caller.subject,
            at=self.session.at,
            hold_expires_at=self.session.at + timedelta(minutes=settings.hold_minutes),
        )
        self._commit(order, holds, read)
        return order

    def _holds(self, rows: Mapping[str, Row]) -> list[Reservation]:
        """Return the reservations to make. Raises OutOfStock."""
        holds: list[Reservation] = []
        short: dict[str, int] = {}
        for item_id, units in quantities(self.new.item_lines).items():
            shares = self._shares(item_id, units, rows[item_id])
            if isinstance(shares, int):
                short[item_id] = shares
            else:
                holds += [Reservation(item_id, shard, share) for shard, share in shares.items()]
        self._may_guess = False
        if short:
            raise out_of_stock(self.new.lines, short)
        return holds

    def _require_fits(self, holds: Sequence[Reservation], read: "ReadTerms") -> None:
        """Raise InvalidState if what an order reserves is in too many rows for its transactions."""
        of_bookings = read.bookings.most_steps + 1 if read.bookings else 0  # their events may need a row of their own
        if len(holds) + len(_uncounted(read.rows)) + of_bookings > MAX_STOCK_STEPS:
            raise InvalidState("Stock and bookings are in too many places for one order. Order fewer at once.")

    def _shares(self, item_id: str, units: int, row: Row) -> dict[int, int] | int:
        """Return the units to reserve by shard, or the number of available units if they are too few."""
        stock_rows = StockRows((row,))
        if not stock_rows.counted:
            return {}
        if row["bucket_rows"] > 1:
            if self._may_guess:
                return {chance().randrange(stock_rows.shards): units}
            stock_rows = self._all_shards(item_id, row["bucket_rows"])
        shares = allocate(stock_rows.available, units)
        return sum(stock_rows.available) if shares is None else shares

    def _all_shards(self, item_id: str, count: int) -> StockRows:
        rows = self.session.table.snapshot([keys.stock(self.session.tenant, item_id, n) for n in range(count)])
        if rows is None or len(rows) != count or rows[0]["bucket_rows"] != count:
            raise Stale
        return StockRows(tuple(rows))

    def _commit(self, order: Order, holds: Sequence[Reservation], read: "ReadTerms") -> None:
        tenant, rows = self.session.tenant, read.rows
        tx = self.session.transaction()
        tx.create("place the order", order_to_row(tenant, order, holds), raises=id_exists)
        for hold in holds:
            stock.reserve(tx, tenant, hold, rows[hold.item_id]["edits"])
        for item_id in _uncounted(rows):
            stock.sell_uncounted(tx, tenant, item_id, rows[item_id]["edits"])
        if read.bookings:
            read.bookings.hold_with(tx, self.session, order)
        if read.discount:
            count_use(tx, tenant, order, read.discount)
        data = {"customer_id": order.customer_id, "total": json_of(order.total)}
        self.session.commit(tx, order, DomainEvent("OrderPlaced", order.id, order.version, data))


def _uncounted(rows: Mapping[str, Row]) -> list[str]:
    """Return the ids of the items without counted units."""
    return [item_id for item_id, row in rows.items() if not StockRows((row,)).counted]


@dataclass(frozen=True, slots=True)
class ReadTerms:
    """What the table says of an order: its terms, the items' first stock rows by id, the discount and the bookings."""

    terms: Terms
    rows: dict[str, Row]
    discount: StoredTerms | None
    bookings: "BookingLines | None"


def read_terms(session: Session, new: NewOrder) -> ReadTerms:
    """Return the terms of an order, with the offers of its items that exist. Raises Stale."""
    tenant = keys.tenant(session.tenant)
    ids = dict.fromkeys(line.item_id for line in new.item_lines if is_id("item", line.item_id))
    wanted = {keys.stock(session.tenant, item_id): item_id for item_id in ids}
    coded = None
    if new.discount_code is not None:
        coded = keys_of(session.tenant, new.discount_code, new.customer_id or session.caller.subject)
    found = session.read([*wanted, tenant, *(coded or ())])
    require_absent(session.table, (key for key in wanted if key not in found))
    discount = terms_of(session, coded, found) if coded else None
    settings = TenantSettings(**(tenant_fields(found.pop(tenant))["settings"] if tenant in found else {}))
    rows = {item_id: found[key] for key, item_id in wanted.items() if key in found}
    offers, bookings = {item_id: _offer(row) for item_id, row in rows.items()}, None
    if new.booking_ids:
        from repositories.bookings.ordered import read_lines

        bookings = read_lines(session, new)
        offers |= bookings.offers
    return ReadTerms(Terms(offers, settings, discount.terms if discount else None), rows, discount, bookings)


def _offer(row: Row) -> Offer:
    price = Money.of_minor(row["price"], row["currency"])
    tax_class = row.get("tax_class", STANDARD_TAX)
    return Offer(name=row["item_name"], sku=row["sku"], price=price, sellable=row["sellable"], tax_class=tax_class)
