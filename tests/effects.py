"""Effects that can be wrong, by what is wrong: each puts the mistake into the code that runs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.bookings.calendar import Entry
from domain.bookings.resources import Resource
from domain.bookings.status import BookingStatus
from domain.common.ids import new_id
from domain.common.versions import Versions
from domain.ledger import posting as ledger_domain
from domain.orders import pricing, refunding, shipping
from domain.stock import UnitChange
from repositories.bookings import calendar as booking_calendar
from repositories.bookings import ordered
from repositories.bookings import repository as booking_repository
from repositories.dynamodb import idempotency, session, table, token_revocation, transaction, work_list
from repositories.events import feed
from repositories.identity import invitations, users
from repositories.items import repository as items
from repositories.items import rows as item_rows
from repositories.items import stock
from repositories.ledger import chains, posting, trial_balance
from repositories.ledger import repository as ledger_repository
from repositories.ledger import rows as ledger_rows
from repositories.orders import repository as orders
from repositories.payments import postings
from repositories.payments import repository as payments

_pages = vars(booking_calendar.Place)["pages"].fget

type Mistake = Callable[[pytest.MonkeyPatch], None]


def _set(module: Any, name: str, value: Any) -> Mistake:
    return lambda patch: patch.setattr(module, name, value)


def _shadowed(module: Any, name: str, value: Any) -> Mistake:
    """Give a module a function of its own in place of a built-in one."""
    return lambda patch: patch.setattr(module, name, value, raising=False)


def _changed(owner: Any, name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Mistake:
    """Replace a function, or a method, by what `change` makes of it."""
    return lambda patch: patch.setattr(owner, name, change(getattr(owner, name)))


def _units(owner: Any, name: str, on_hand: int, reserved: int) -> Mistake:
    """Let a change of units change other counts, in multiples of the units."""
    return _set(
        owner,
        name,
        lambda hold: UnitChange(hold.item_id, hold.shard, on_hand * hold.units, reserved * hold.units),
    )


def _no_order_id(post: Callable[..., Any]) -> Callable[..., Any]:
    def posted(steps: Any, on: Any, draft: posting.Draft, heads: Mapping[str, Any]) -> Any:
        return post(steps, on, replace(draft, order_id=None) if draft.reverses else draft, heads)

    return posted


def _postage_as_sales(credits_of: Callable[..., Any]) -> Callable[..., Any]:
    def credited(order: Any) -> Any:
        sums = credits_of(order)
        return sums | {"sales": sums["sales"] + sums["shipping"], "shipping": 0}

    return credited


def _tax(amount: int, rate: Any, included: bool) -> Any:
    return amount * rate / (1 + rate) if included else amount * rate


def _not_reversing(post: Callable[..., Any]) -> Callable[..., Any]:
    def posted(steps: Any, on: Any, draft: posting.Draft, heads: Mapping[str, Any]) -> Any:
        return post(steps, on, replace(draft, reverses=None), heads)

    return posted


def _without_more(append: Callable[..., Any]) -> Callable[..., Any]:
    def of_each(*arguments: Any) -> Any:
        return [replace(each, more=0) for each in append(*arguments)]

    return of_each


def _both(first: Mistake, second: Mistake) -> Mistake:
    def make(patch: pytest.MonkeyPatch) -> None:
        first(patch)
        second(patch)

    return make


def _no_step(*_arguments: Any, **_values: Any) -> None:
    return None


EFFECTS: dict[str, Mistake] = {
    "a refund is posted the same way round as the payment": _set(postings, "swapped", list),
    "a reversal is posted the same way round": _set(ledger_repository, "swapped", list),
    "a refund does not name its order": _changed(postings, "post", _no_order_id),
    "a refund does not mark what it reverses": _changed(postings, "post", _not_reversing),
    "postage is posted as sales": _changed(postings, "credits_of", _postage_as_sales),
    "tax is rounded down": _set(pricing, "tax_of", lambda amount, rate, *, included: int(_tax(amount, rate, included))),
    "tax is not in the total": _set(pricing.PricedPart, "gross", lambda part, **_: part.amount - part.discount),
    "a balance falls where it should grow": _changed(
        ledger_domain.ChainHead,
        "extended",
        lambda extended: lambda self, direction, minor, at: extended(self, direction.opposite, minor, at),
    ),
    "a payment has all the time of its request": _set(payments, "COMMIT_SECONDS", 1000),
    "a posting has all the time of its request": _set(ledger_repository, "COMMIT_SECONDS", 1000),
    "entries do not say that others follow": _changed(posting, "append_entries", _without_more),
    "times need not rise in a chain": _set(posting, "posting_time", lambda now, _heads: now),
    "chains may be far ahead of the clock": _set(ledger_domain, "MAX_SKEW", timedelta(days=1)),
    "the present is settled": _set(ledger_repository, "SETTLED_AFTER", timedelta()),
    "the present is settled in a trial balance": _set(trial_balance, "SETTLED_AFTER", timedelta()),
    "a chain that went past an instant makes it final, whatever the account": _set(
        ledger_repository,
        "is_final",
        lambda heads, as_of, settled: as_of <= settled or all(head.at and head.at > as_of for head in heads),
    ),
    "a half visible entry is an end": _set(chains, "_end", ledger_rows.head_of),
    "a trial balance need not balance": _set(trial_balance, "_balances", lambda _collected: True),
    "a refusal to reverse rests on two moments": _set(
        ledger_repository.LedgerRepository, "_require_standing", _no_step
    ),
    "reserved units stay available": _units(stock, "reserved", 0, 0),
    "released units stay reserved": _units(orders, "released", 0, 0),
    "refunded units stay reserved": _units(refunding, "released", 0, 0),
    "shipped units stay on hand": _units(shipping, "taken", 0, -1),
    "returned units do not come back": _units(refunding, "restocked", 0, 0),
    "orders do not change the item": _changed(
        stock, "_values", lambda values: lambda change: values(change) | {"one": 0}
    ),
    "an order that ended keeps its stock": _set(orders, "still_reserved", lambda *_: []),
    "an order that ended keeps the use of its code": _set(orders, "give_use_back", _no_step),
    "parts are shipped from the beginning of the reservations": _changed(
        shipping, "next_reserved", lambda found: lambda holds, item, _used, units: found(holds, item, 0, units)
    ),
    "more can be refunded than is left": _set(refunding, "_require_left", _no_step),
    "more units can be refunded than were bought": _set(refunding, "_require_bought", _no_step),
    "shipping can be refunded twice": _set(refunding, "_has_refunded_shipping", lambda _order: False),
    "the last unit does not take the rounding": _changed(
        refunding,
        "paid_for_units",
        lambda paid: lambda line, order, units: paid(line, order, line.quantity) // line.quantity * units,
    ),
    "tax is refunded from sales": _set(refunding, "_tax_in", lambda *_: 0),
    "a refund takes more of an account than is left": _set(refunding, "fitted", lambda wanted, _left: wanted),
    "bookings that touch are in each other's way": _changed(
        booking_calendar, "peak", lambda peak: lambda entries, start, end: peak(entries, start, end + 1)
    ),
    "bookings may overlap by a second": _changed(
        booking_calendar, "peak", lambda peak: lambda entries, start, end: peak(entries, start + 1, end)
    ),
    "a hold takes units at the second of its end": _set(
        Entry, "counts", lambda entry, at: entry.until is None or entry.until >= at
    ),
    "a hold never ends": _set(Entry, "counts", lambda _entry, _at: True),
    "a hold that has ended is confirmed": _set(booking_repository, "require_on_pages", _no_step),
    "a hold that has ended is ordered": _set(ordered, "require_on_pages", _no_step),
    "a booking keeps its time when it is moved or cancelled": _set(booking_calendar.Calendar, "give_back", _no_step),
    "a booking is only on its first page": _set(
        booking_calendar.Place, "pages", property(lambda place: _pages(place)[:1])
    ),
    "buffers are not taken": _set(Resource, "occupied", lambda _resource, during: during),
    "an order that ended keeps its bookings": _set(ordered, "_free", _no_step),
    "bookings are not confirmed with their order": _set(ordered, "_confirm", _no_step),
    "a booking that was used is freed with its order": _set(ordered, "_UNUSED", frozenset(BookingStatus)),
    "counts are not told by number": _set(
        item_rows.StockRows, "sequence", property(lambda stock_rows: int(stock_rows.rows[0]["stock_events"]) - 1)
    ),
    "what came in is not kept": _set(
        item_rows.StockRows, "received", property(lambda stock_rows: stock_rows.rows[0]["on_hand"])
    ),
    "stock rows are not told of edits": _set(items, "update_stock_rows", _no_step),
    "the feed shows what is not final": _set(feed, "FINAL_AFTER", timedelta()),
    "events may be older than the last of their subject": _shadowed(session, "max", lambda times: times[0]),
    "the feed believes a shard that it has not read to the end": _shadowed(feed, "min", lambda *_, **__: None),
    "any version is fresh": _set(Versions, "require_fresh", _no_step),
    "rows of an item need not belong together": _set(
        item_rows.StoredItem, "from_rows", staticmethod(lambda rows: item_rows.stored_item(rows[0], rows[1:]))
    ),
    "a refusal of a sum rests on several moments": _set(
        items.ItemRepository, "_at_one_moment", lambda _repository, stored: stored
    ),
    "a snapshot is several moments": _set(
        table.Table, "snapshot", lambda self, wanted: [row for key in wanted if (row := self.get(key))]
    ),
    "the sweeper's mark has no margin": _set(work_list, "_MARGIN", timedelta()),
    "the sweeper never looks back": _set(work_list, "_LOOK_BACK", timedelta(minutes=61)),
    "the sweeper's mark passes what is left": _changed(
        work_list._Sweep,
        "_advance",
        lambda advance: lambda self, swept, done: advance(self, replace(swept, left={}), done),
    ),
    "tokens are void from the request's second on, and no later": _set(token_revocation, "MARGIN", timedelta()),
    "a new role voids no token": _set(users, "revoke", _no_step),
    "whoever lost the right may still use it": _set(session.Session, "check_token", _no_step),
    "an address is not claimed before a name is taken away": _set(invitations, "_claim", _no_step),
    "a subject whose name is taken away may still get a profile": _set(invitations, "_bar", _no_step),
    "a claim never lapses": _set(invitations, "_lapsed", lambda *_: False),
    "an erased subject is adopted": _set(invitations, "_there_already", lambda _row: transaction.Stale()),
    "an erased user stays in the answer that showed them": _set(users.UserRepository, "_erase_answer", _no_step),
    "records of commands live a day and no more": _set(idempotency, "LIFETIME", timedelta(hours=23)),
    "a lease ends before its function may": _set(idempotency, "LEASE", timedelta(seconds=1)),
    "one token serves all attempts at a transaction": _set(transaction, "unique", lambda: "always-the-same"),
    "a failed condition is told behind a step of which nothing is known": _set(transaction, "_UNKNOWN", frozenset()),
    "void tokens get replays": _both(
        _set(token_revocation, "require_valid", _no_step), _set(token_revocation, "require_not_revoked", _no_step)
    ),
    "batches' ids are new at each attempt": _changed(
        items, "derived_id", lambda _derived: lambda prefix, _at, _seed: new_id(prefix)
    ),
}
