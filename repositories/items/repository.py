"""Items, their stock and their SKUs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, JsonValue

from domain.common.environment import in_parallel
from domain.common.errors import (
    Contention,
    DomainError,
    InvalidState,
    NotFound,
    OutOfStock,
    PreconditionFailed,
    SkuTaken,
    Unavailable,
)
from domain.common.events import DomainEvent
from domain.common.ids import derived_id, is_id, new_id
from domain.common.pages import Page, PageRequest
from domain.common.validation import validated
from domain.common.versions import Versions
from domain.identity.permissions import Caller
from domain.items import Item, ItemPatch, ItemStatus, ItemSummary, NewItem
from domain.stock import Stock, StockAdjustment, StockBuckets
from repositories.dynamodb import keys
from repositories.dynamodb.codec import new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Raises, Stale, WriteTransaction, id_exists, require_absent
from repositories.identity.traded_currencies import require_currency
from repositories.items.batches import Batch, by_first_sku
from repositories.items.rows import (
    COLLECTIONS,
    StockRows,
    StoredItem,
    is_whole,
    item_to_row,
    stock_to_row,
    summary_from_row,
)
from repositories.items.stock import Rebalancing, rebalance_stock, update_stock_rows
from repositories.paging.lists import Listing, list_page

_TRY_AGAIN = (Contention, Unavailable)
"""Errors of a row that a retry may resolve: no response is stored for a batch with such a row."""


@dataclass(frozen=True, slots=True)
class ItemRepository:
    """The items of the caller's tenant."""

    session: Session

    @property
    def caller(self) -> Caller:
        """The caller of the request; the items are those of the caller's tenant."""
        return self.session.caller

    @uses(IamAction.GET, IamAction.PUT)
    def create(self, new: NewItem) -> Item:
        """Add an item. Raises SkuTaken, ValidationFailed for a currency that the tenant does not trade in."""
        return self.add(Item.new(new_id("item"), new, self.session.at))

    def add(self, item: Item) -> Item:
        """Add an item with a given id. Raises as `create`."""
        require_currency(self.session, item.price.currency)
        tx = self._creation(item, exists=id_exists)
        self.session.commit(tx, item, DomainEvent("ItemCreated", item.id, 1))
        return item

    @uses(IamAction.GET, IamAction.PUT)
    def create_all(self, rows: Sequence[dict[str, JsonValue]]) -> Batch:
        """Add each item that can be added. `finish` must follow.

        Ids are derived from the command, so that a batch that is retried after a crash adds no item twice. Raises
        Replayed, IdempotencyKeyReused, IdempotencyInProgress.
        """
        started = self.session.record.begin()
        outcomes: list[Item | DomainError] = [NotFound()] * len(rows)

        def create(index: int) -> None:
            outcomes[index] = self._create_row(rows[index], index, started)

        first, repeated = by_first_sku(rows)
        in_parallel(create, first)
        for index in repeated:
            create(index)
        return Batch(started, outcomes)

    @uses(IamAction.PUT)
    def finish[R: BaseModel](self, batch: Batch, result: R) -> R:
        """Store the response to a batch, unless some of its rows should be retried. Return `result`."""
        if any(isinstance(outcome, _TRY_AGAIN) for outcome in batch.outcomes):
            self.session.record.release(batch.started)
        else:
            self.session.record.finish(result)
        return result

    @uses(IamAction.GET, IamAction.QUERY)
    @retry_on_conflict
    def get(self, item_id: str) -> Item:
        """Return an item. Raises NotFound, Contention."""
        return self._read(item_id).item

    @uses(IamAction.GET, IamAction.QUERY)
    @retry_on_conflict
    def stock_buckets(self, item_id: str) -> StockBuckets:
        """Return an item's stock by shard. Raises NotFound, InvalidState if units are not counted, Contention."""
        stored = self._read(item_id)
        _counted(stored)
        buckets = [Stock(**{name: row[name] for name in Stock.model_fields}) for row in stored.stock_rows.rows]
        return StockBuckets(item_id=item_id, count=stored.stock_rows.shards, buckets=buckets)

    @uses(IamAction.LIST)
    def page(self, status: ItemStatus, page: PageRequest) -> Page[ItemSummary]:
        """Return a page of the items with this status. Raises CursorInvalid."""
        session = self.session
        rows, cursor = list_page(Listing.of_all(session, COLLECTIONS[status]), page)
        return Page(items=[summary_from_row(row) for row in rows], next_cursor=cursor)

    @uses(IamAction.GET)
    def by_sku(self, sku: str, status: ItemStatus, page: PageRequest) -> Page[ItemSummary]:
        """Return a page with the item that has this SKU and status; empty if there is none. Raises CursorInvalid."""
        page.require_first()
        marker = self.session.table.get(keys.sku(self.session.tenant, sku))
        row = marker and self.session.table.get(keys.item(self.session.tenant, marker["item_id"]))
        # The SKU may have moved to another item between the two reads.
        found = [summary_from_row(row)] if row and (row["head"]["sku"], row["head"]["status"]) == (sku, status) else []
        return Page(items=found, next_cursor=None)

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY)
    def with_stock(self, page: Page[ItemSummary]) -> Page[ItemSummary]:
        """Return the page with the stock of each item. Raises NotFound, Contention."""
        first_rows = {item.id: keys.stock(self.session.tenant, item.id) for item in page.items}
        found = self.session.table.batch_get(first_rows.values())
        whole = {item_id: found[key] for item_id, key in first_rows.items() if is_whole(found.get(key))}
        stock = {item_id: StockRows((row,)).stock for item_id, row in whole.items()}
        # Stock in several rows is read item by item, as only those reads notice a split in progress.
        split = [item_id for item_id in first_rows if item_id not in whole]
        stock |= zip(split, in_parallel(lambda item_id: self.get(item_id).stock, split), strict=True)
        items = [item.model_copy(update={"stock": stock[item.id]}) for item in page.items]
        return page.model_copy(update={"items": items})

    @uses(IamAction.GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE, IamAction.DELETE)
    @retry_on_conflict
    def change(self, item_id: str, patch: ItemPatch, expected: frozenset[int] | None) -> Item:
        """Change an item if a version in `expected` has been current since its last edit; None accepts any.

        Raises NotFound, PreconditionFailed, ItemArchived, SkuTaken, ValidationFailed, Contention.
        """
        stored = self._read(item_id)
        stored.versions.require_fresh(expected)
        fields = stored.item.patched(patch)
        require_currency(self.session, fields.price.currency)
        changed = stored.edited(self.session.at, **dict(fields))
        tx = self._edit(stored, changed, expected)
        self._move_sku(tx, stored.item, changed.item)
        self.session.commit(tx, changed.item, _event("ItemChanged", changed))
        return changed.item

    @uses(IamAction.GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def archive(self, item_id: str, expected: frozenset[int] | None) -> None:
        """Archive an item, if it is active, to end its sale. Raises NotFound, PreconditionFailed, Contention."""
        stored = self._read(item_id)
        stored.versions.require_fresh(expected)
        if stored.item.status is ItemStatus.ARCHIVED:
            return
        archived = stored.edited(self.session.at, status=ItemStatus.ARCHIVED)
        tx = self._edit(stored, archived, expected)
        self.session.commit(tx, archived.item, _event("ItemArchived", archived))

    @uses(IamAction.GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def adjust_stock(self, item_id: str, adjustment: StockAdjustment) -> Item:
        """Add units to, or remove units from, those on hand. Raises NotFound, OutOfStock, InvalidState, Contention."""
        stored = self._read(item_id)
        try:
            stock = _counted(stored).adjusted(adjustment.delta)
        except (OutOfStock, InvalidState):
            stored = self._at_one_moment(stored)
            stock = _counted(stored).adjusted(adjustment.delta)
        data = {"delta": adjustment.delta, "reason": adjustment.reason, "on_hand": stock.on_hand}
        body = EventBody("StockAdjusted", data)
        return self._rebalance(stored, stock, stored.stock_rows.shards, body, adjustment.delta)

    @uses(IamAction.GET, IamAction.QUERY, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def split_stock(self, item_id: str, count: int) -> Item:
        """Spread the available units over `count` shards, while orders continue.

        Raises NotFound, InvalidState, Contention.
        """
        stored = self._read(item_id)
        return self._rebalance(stored, _counted(stored), count, EventBody("StockSplit", {"buckets": count}))

    def _rebalance(self, stored: StoredItem, stock: Stock, shards: int, event: "EventBody", delta: int = 0) -> Item:
        """Add `delta` units and spread the available ones; concurrent orders conflict only in shards that run out."""
        item = stored.item.model_copy(update={"stock": stock, "version": stored.versions.shown + 1})
        tx = self.session.transaction()
        at = max(self.session.at, stored.stock_rows.changed_at or self.session.at)
        rebalance_stock(tx, self.session.tenant, stored, Rebalancing(shards, delta, at))
        sequence = stored.stock_rows.sequence + 1
        self.session.commit(tx, item, DomainEvent(event.kind, f"{item.id}/stock", sequence, event.data, at))
        return item

    def _read(self, item_id: str) -> StoredItem:
        key = keys.item(self.session.tenant, item_id)
        found = self.session.table.partition(key.pk) if is_id("item", item_id) else []
        if not found:
            require_absent(self.session.table, [key] if is_id("item", item_id) else ())
            raise NotFound("item")
        return StoredItem.from_rows(found)

    def _at_one_moment(self, stored: StoredItem) -> StoredItem:
        """Return the item from a snapshot. A refusal needs one: a Query over several rows is only read-committed."""
        shards = range(len(stored.stock_rows.rows))
        tenant, item_id = self.session.tenant, stored.item.id
        rows = self.session.table.snapshot(
            [keys.item(tenant, item_id), *(keys.stock(tenant, item_id, shard) for shard in shards)]
        )
        if rows is None:
            raise Stale
        return StoredItem.from_rows(rows)

    def _create_row(self, row: dict[str, JsonValue], index: int, started: datetime) -> Item | DomainError:
        command = self.session.command
        seed = command and hashlib.sha256(f"{command.scope}/{index}".encode()).digest()
        item_id = derived_id("item", started, seed) if seed else new_id("item")
        try:
            item = Item.new(item_id, validated(NewItem, row), started)
            require_currency(self.session, item.price.currency)
            tx = self._creation(item, exists=_AlreadyCreated())
            self.session.commit_events(tx, DomainEvent("ItemCreated", item.id, 1))
        except _AlreadyCreated:
            return item
        except DomainError as refusal:
            return refusal
        return item

    def _creation(self, item: Item, exists: Raises) -> WriteTransaction:
        tenant = self.session.tenant
        tx = self.session.transaction()
        tx.create("add the item", item_to_row(tenant, item, Versions(1, 0, 0)), raises=exists)
        tx.put("add its stock", stock_to_row(tenant, item))
        if item.sku:
            _claim_sku(tx, tenant, item.sku, item.id)
        return tx

    def _edit(self, stored: StoredItem, edited: StoredItem, expected: frozenset[int] | None) -> WriteTransaction:
        tenant, item = self.session.tenant, edited.item
        tx = self.session.transaction()
        tx.put(
            "edit the item",
            item_to_row(tenant, item, edited.versions),
            condition="edits = :seen",
            raises=Stale() if expected is None else PreconditionFailed(),
            seen=stored.versions.edits,
        )
        update_stock_rows(tx, tenant, edited)
        return tx

    def _move_sku(self, tx: WriteTransaction, before: Item, after: Item) -> None:
        if before.sku == after.sku:
            return
        tenant = self.session.tenant
        if before.sku:
            tx.delete("free the old SKU", keys.sku(tenant, before.sku))
        if after.sku:
            _claim_sku(tx, tenant, after.sku, after.id)


class EventBody(NamedTuple):
    """Kind and data of an event."""

    kind: str
    data: dict[str, Any]


class _AlreadyCreated(Exception):
    """An earlier attempt of the same command has added this item."""


def _counted(stored: StoredItem) -> Stock:
    if stored.item.stock is None:
        raise InvalidState("The stock of this item is not counted.")
    return stored.item.stock


def _claim_sku(tx: WriteTransaction, tenant: str, sku: str, item_id: str) -> None:
    tx.create("claim the SKU", new_row(keys.sku(tenant, sku), "sku", item_id=item_id), raises=SkuTaken(sku))


def _event(kind: str, edited: StoredItem) -> DomainEvent:
    return DomainEvent(kind, edited.item.id, edited.versions.edits, at=edited.item.updated_at)
