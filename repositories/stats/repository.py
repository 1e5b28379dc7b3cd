"""Sales figures as they are shown: by day, by item, and of customers; and items that are running low."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from domain.common.environment import in_parallel
from domain.common.errors import Flaw, NotFound
from domain.common.ids import is_user_id
from domain.common.money import SignedMoney
from domain.common.pages import Page, PageRequest
from domain.common.validation import invalid_input
from domain.items import ItemStatus
from domain.stats import SALES, CustomerStats, Figures, LowStock, Sales, SalesRow, SpendingRow
from domain.stock import Stock
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.items.repository import ItemRepository
from repositories.stats import keys as stats_keys
from repositories.stats.counting import shown_generation

MAX_DAYS = 366
MAX_DAYS_BY_ITEM = 92
"""Maximum days of one answer: by item, it reads a row for each item that was sold on a day."""
MAX_EXAMINED = 1000
"""Items that are examined for one page of those that are running low; beyond it, a page may be short."""


@dataclass(frozen=True, slots=True)
class StatsRepository:
    """The figures of the caller's tenant."""

    session: Session

    @uses(IamAction.GET, IamAction.QUERY)
    def by_day(self, first: date, last: date) -> Sales:
        """Return the sales of each day, both ends included. Raises ValidationFailed for too many days."""
        rows = self._rows(first, last, MAX_DAYS, stats_keys.sales_of_day)
        sums = _summed(rows, lambda day, currency, _item: (day, currency))
        return Sales(
            as_of=self.session.at,
            rows=[SalesRow.of(currency, sums[day, currency], day=day) for day, currency in sorted(sums)],
        )

    @uses(IamAction.GET, IamAction.QUERY)
    def by_item(self, first: date, last: date) -> Sales:
        """Return the sales of each item in these days. Raises ValidationFailed for too many days.

        A row without an item has charges, and refunds that are not of lines.
        """
        rows = self._rows(first, last, MAX_DAYS_BY_ITEM, stats_keys.sales_of_item)
        sums = _summed(rows, lambda _day, currency, item: (item, currency))
        shown = [
            SalesRow.of(currency, sums[item, currency], **({"item_id": item} if item else {}))
            for item, currency in sorted(sums)
        ]
        return Sales(as_of=self.session.at, rows=shown)

    @uses(IamAction.GET, IamAction.QUERY, IamAction.LIST_BELOW)
    @retry_on_conflict
    def of_customer(self, customer_id: str) -> CustomerStats:
        """Return what a customer has ordered. Raises NotFound for one who is no user and has ordered nothing."""
        if not is_user_id(customer_id):
            raise NotFound("user")
        table, tenant = self.session.table, self.session.tenant
        rows = table.partition(stats_keys.spending_pk(tenant, self._generation(), customer_id))
        mine = keys.customers_orders(tenant, customer_id)
        orders = table.query("gsi2pk = :pk", {":pk": mine}, index="gsi2", limit=1, newest_first=True).rows
        if not rows and not orders and self.session.find(keys.user(tenant, customer_id)) is None:
            raise NotFound("user")
        return CustomerStats(
            as_of=self.session.at,
            last_order_at=orders[0]["head"]["created_at"] if orders else None,
            rows=[
                SpendingRow(
                    currency=row["sk"],
                    orders=row.get("orders", 0),
                    spent=SignedMoney.of_minor(row.get("spent", 0), row["sk"]),
                )
                for row in rows
            ],
        )

    @uses(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.LIST)
    def low_stock(self, below: int, page: PageRequest) -> Page[LowStock]:
        """Return a page of the active items with fewer available units. Raises CursorInvalid, NotFound, Contention."""
        items, cursor, examined = ItemRepository(self.session), page.cursor, 0
        while True:
            found = items.with_stock(items.page(ItemStatus.ACTIVE, PageRequest(page.limit, cursor)))
            cursor, examined = found.next_cursor, examined + len(found.items)
            low = [
                LowStock(item_id=each.id, sku=each.sku, name=each.name, available=each.stock.available)
                for each in found.items
                if isinstance(each.stock, Stock) and each.stock.available < below
            ]
            if low or cursor is None or examined >= MAX_EXAMINED:
                return Page(items=low, next_cursor=cursor)

    def _rows(self, first: date, last: date, most: int, sort_key: Callable[[str], str]) -> list[Row]:
        """Return the rows of sales of some days."""
        if (last - first).days >= most:
            raise invalid_input([Flaw("/query/from", "RANGE_TOO_LONG", f"At most {most} days can be asked for.")])
        generation = self._generation()
        pks = stats_keys.sales_pks(self.session.tenant, generation, first, last)
        low, high = sort_key(str(first)), stats_keys.sales_until(sort_key(str(last)))

        def between(pk: str) -> list[Row]:
            values = {":pk": pk, ":low": low, ":high": high}
            return list(self.session.table.every("pk = :pk AND sk BETWEEN :low AND :high", values))

        return [row for rows in in_parallel(between, pks) for row in rows]

    def _generation(self) -> int:
        return shown_generation(self.session.table.get(stats_keys.stats(self.session.tenant)))


def _summed(rows: Iterable[Row], group: Callable[[str, str, str], tuple[str, str]]) -> dict[tuple[str, str], Figures]:
    """Return sums of figures by group: a function of day, currency and item."""
    sums: dict[tuple[str, str], Figures] = defaultdict(lambda: dict.fromkeys(SALES, 0))
    for row in rows:
        into = sums[group(*stats_keys.sales_parts(row["sk"]))]
        for name in SALES:
            into[name] += row.get(name, 0)
    return sums
