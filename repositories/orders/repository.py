"""Orders and their changes of status."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from domain.common.errors import NotFound
from domain.common.events import DomainEvent
from domain.common.ids import is_id, new_id
from domain.common.pages import Page, PageRequest
from domain.common.times import TimeRange
from domain.identity.permissions import Caller, Permission
from domain.orders.amounts import Quote
from domain.orders.checkout import NewOrder
from domain.orders.order import Order, OrderSummary
from domain.orders.parts import NewShipment, Refund, Shipment
from domain.orders.quotes import quote
from domain.orders.reserved import still_reserved
from domain.orders.shipping import Shipping, ship
from domain.orders.status import ENDED_UNPAID, OrderStatus
from domain.stock import UnitChange, released
from repositories.discounts.uses import give_use_back
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale, WriteTransaction, require_absent
from repositories.items import stock
from repositories.orders.place import OrderPlacement, read_terms
from repositories.orders.rows import COLLECTION, StoredOrder, order_to_row, summary_from_row
from repositories.paging.lists import Listing, list_page, page_of


@dataclass(frozen=True, slots=True)
class OrderRepository:
    """The orders of the caller's tenant. A customer can access only their own."""

    session: Session

    @property
    def caller(self) -> Caller:
        """The caller of the request."""
        return self.session.caller

    @uses()
    def require_may_set(self, new: NewOrder) -> None:
        """Raise Forbidden if the order is for another customer, or has charges, and the caller may not set those."""
        if new.customer_id is not None:
            self.caller.require_own_or(Permission.ORDERS_MANAGE, new.customer_id)
        if new.charges:
            self.caller.require(Permission.ORDERS_MANAGE)

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.PUT, IamAction.UPDATE, IamAction.CHECK)
    def place(self, new: NewOrder) -> Order:
        """Place an order and reserve its stock, all of it or nothing.

        Raises NotFound, ItemArchived, PriceChanged, DiscountInvalid, ValidationFailed, OutOfStock, InvalidState,
        Contention.
        """
        return self.place_as(new_id("order"), new)

    def place_as(self, order_id: str, new: NewOrder) -> Order:
        """Place an order with a given id. Raises as `place`."""
        return self.session.retry_on_conflict(OrderPlacement(self.session, new, order_id).attempt)

    @uses(IamAction.GET, IamAction.BATCH_GET)
    @retry_on_conflict
    def quote(self, new: NewOrder) -> Quote:
        """Return what an order would come to. Nothing is reserved or written.

        Raises NotFound, ItemArchived, PriceChanged, DiscountInvalid, ValidationFailed, Contention.
        """
        return quote(new, read_terms(self.session, new).terms, self.session.at)

    @uses(IamAction.GET)
    @retry_on_conflict
    def get(self, order_id: str) -> Order:
        """Return an order. Raises NotFound, Contention."""
        return self.reached(self.session.find(self.key(order_id))).order

    @uses(IamAction.LIST, IamAction.LIST_BELOW)
    def page(
        self, page: PageRequest, customer_id: str | None, status: OrderStatus | None, created: TimeRange
    ) -> Page[OrderSummary]:
        """Return a page of the orders, optionally only of one customer, with one status or created within a range.

        Raises CursorInvalid.
        """
        rows, cursor = list_page(self._listing(customer_id, status).within(created), page)
        return Page(items=[summary_from_row(row) for row in rows], next_cursor=cursor)

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.PUT, IamAction.UPDATE)
    def cancel(self, order_id: str) -> Order:
        """Cancel an order and release its stock. Raises NotFound, InvalidState, Contention."""
        return self._move(order_id, OrderStatus.CANCELLED)

    @uses(IamAction.GET, IamAction.SIGN)
    def shipments(self, order_id: str, page: PageRequest) -> Page[Shipment]:
        """Return a page of the shipments of an order. Raises NotFound, CursorInvalid, Contention."""
        return page_of(self.get(order_id).shipments, page, self.parts(order_id, "shipments"))

    @uses(IamAction.GET, IamAction.SIGN)
    def refunds(self, order_id: str, page: PageRequest) -> Page[Refund]:
        """Return a page of the refunds of an order. Raises NotFound, CursorInvalid, Contention."""
        return page_of(self.get(order_id).refunds, page, self.parts(order_id, "refunds"))

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def ship(self, order_id: str) -> Order:
        """Ship all units of an order that remain. Raises NotFound, InvalidState, Contention."""
        shipped, tx, event = self._shipping(order_id, NewShipment())
        self.session.commit(tx, shipped.order, event)
        return shipped.order

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def add_shipment(self, order_id: str, new: NewShipment) -> Shipment:
        """Ship some units of an order, or all that remain. Raises NotFound, InvalidState, Contention."""
        shipped, tx, event = self._shipping(order_id, new)
        self.session.commit(tx, shipped.shipment, event)
        return shipped.shipment

    def _shipping(self, order_id: str, new: NewShipment) -> tuple[Shipping, WriteTransaction, DomainEvent]:
        stored = self.read(order_id)
        shipped = ship(stored.order, stored.holds, new, new_id("shipment"), self.caller.subject, self.session.at)
        is_partial = shipped.order.status is not OrderStatus.SHIPPED
        event = order_event(shipped.order, "Shipped", is_partial=is_partial, shipment_id=shipped.shipment.id)
        return shipped, self.changing(stored, shipped.order, shipped.changes), event

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.PUT)
    def deliver(self, order_id: str) -> Order:
        """Mark an order as delivered. Raises NotFound, InvalidState, Contention."""
        return self._move(order_id, OrderStatus.DELIVERED)

    def expire(self, order_id: str) -> Order:
        """Expire an order with an ended hold and release its stock. Raises NotFound, InvalidState, Contention."""
        return self._move(order_id, OrderStatus.EXPIRED)

    @retry_on_conflict
    def _move(self, order_id: str, wanted: OrderStatus) -> Order:
        stored = self.read(order_id)
        moved = stored.order.moved(wanted, self.caller.subject, self.session.at)
        if wanted in ENDED_UNPAID:
            tx = self.changing(stored, moved, [released(each) for each in still_reserved(stored.order, stored.holds)])
            give_use_back(tx, self.session.tenant, moved)
        else:
            tx = self.changing(stored, moved)
        self.session.commit(tx, moved, order_event(moved, moved.status.title()))
        return moved

    def changing(self, stored: StoredOrder, changed: Order, changes: Iterable[UnitChange] = ()) -> WriteTransaction:
        """Return the transaction that changes an order and its stock. It raises Stale on a conflict."""
        tx = self.session.transaction()
        self.change(tx, stored, changed)
        stock.change_units(tx, self.session.tenant, changes)
        return tx

    def change(self, tx: WriteTransaction, stored: StoredOrder, changed: Order) -> None:
        """Add the steps that change an order, and its bookings with it. They raise Stale on a conflict."""
        tx.put(
            "change the order",
            order_to_row(self.session.tenant, changed, stored.holds, stored.paid_by),
            condition="version = :seen",
            raises=Stale(),
            seen=stored.order.version,
        )
        if stored.order.booking_ids:
            from repositories.bookings.ordered import follow

            follow(tx, self.session, stored.order, changed)

    def read(self, order_id: str) -> StoredOrder:
        """Return an order, to be changed, with its reservations. Raises NotFound, Unauthorized, Stale."""
        key = self.key(order_id)
        row = self.session.read([key]).get(key)
        if row is None:
            require_absent(self.session.table, [key])
        return self.reached(row)

    def reached(self, row: Row | None) -> StoredOrder:
        """Return the order of a row. Raises NotFound without a row, and to a customer for another customer's order."""
        if row is None:
            raise NotFound("order")
        stored = StoredOrder.from_row(row)
        if stored.order.customer_id != self.caller.subject and not self.caller.may(Permission.ORDERS_READ_ALL):
            raise NotFound("order")
        return stored

    def key(self, order_id: str) -> Key:
        """Return the key of an order. Raises NotFound for a malformed id."""
        if not is_id("order", order_id):
            raise NotFound("order")
        return keys.order(self.session.tenant, order_id)

    def parts(self, order_id: str, what: str) -> str:
        """Return the name of the list of an order's shipments, refunds or payments, for cursors."""
        return f"{self.session.tenant}\n{order_id}/{what}"

    def _listing(self, customer_id: str | None, status: OrderStatus | None) -> Listing:
        shows: Callable[[Row], bool] | None = (lambda row: row["head"]["status"] == status) if status else None
        if customer_id is None:
            return Listing.of_all(self.session, COLLECTION, shows, query=f"?{status}")
        pk = keys.customers_orders(self.session.tenant, customer_id)
        return Listing(self.session.table, "gsi2", [pk], f"{pk}?{status}", shows)


def order_event(order: Order, what: str, *, is_partial: bool = False, **data: Any) -> DomainEvent:
    """Return the event of a change of an order, such as `Shipped`. Its data are the new status and the arguments."""
    status = {"status": order.status.value, "fulfillment_status": order.fulfillment_status.value}
    return DomainEvent(
        f"Order{'Partially' if is_partial else ''}{what}", order.id, order.version, status | data, order.updated_at
    )
