"""Themes of universes: the commands that their clients choose from, the likely ones more than once."""

from collections.abc import Callable

from tests.simulation.workload import bookings, books, exports, hooks, parts, payments, people, trade
from tests.simulation.workload.actors import Actor

type Act = Callable[[Actor], object]

THEMES: dict[str, tuple[Act, ...]] = {
    "stock": (trade.place, trade.place, trade.count, trade.split, trade.edit, trade.archive, trade.look, trade.move),
    "orders": (
        *(trade.place, trade.move, trade.move, trade.move, trade.look, books.trial),
        *(parts.ship_part, parts.refund_part, parts.change_code),
    ),
    "codes": (
        *(trade.order_with_code, trade.order_with_code, trade.order_with_code, trade.order_with_code),
        *(trade.move, parts.change_code, parts.change_code, parts.change_code),
    ),
    "books": (
        *(books.transfer, books.transfer, books.reverse, books.reverse),
        *(books.balance, books.balance, books.trial, books.stripe, books.restripe),
    ),
    "users": (people.invite, people.oust, people.oust, people.sign_up, people.find, people.buy),
    "catalogue": (
        *(trade.create_with_sku, trade.create_with_sku, trade.find, trade.edit, trade.edit, trade.archive),
        *(trade.place, trade.look),
    ),
    "accounts": (books.open_or_close, books.open_or_close, books.open_or_close, books.transfer, people.rename_tenant),
    "flow": (
        *(trade.place, trade.place, trade.move, trade.move, trade.move, parts.refund_part, parts.refund_part),
        *(hooks.manage, hooks.retry, hooks.test_endpoint, hooks.read_sales),
    ),
    "payments": (
        *(trade.place, trade.place, payments.begin, payments.begin, payments.begin, payments.confirm),
        *(payments.look, payments.look, payments.change),
    ),
    "bookings": (
        *(bookings.book, bookings.book, bookings.book, bookings.move, bookings.settle, bookings.look),
        *(bookings.order, bookings.order, trade.move, trade.move, parts.refund_part),
    ),
    "exports": (
        *(trade.place, trade.place, trade.place, trade.move, trade.create, trade.archive),
        *(exports.begin, exports.look, exports.look, exports.cancel),
    ),
    "all": (
        *(trade.place, trade.move, trade.count, trade.split, trade.edit, trade.create, trade.look),
        *(books.transfer, books.reverse, books.trial, people.invite, people.oust),
        *(parts.ship_part, parts.refund_part),
    ),
}
