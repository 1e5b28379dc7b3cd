"""A shop to look at: a month of its trade, with items, customers, orders in every status, and books.

The repositories write it, on a clock that is set to the past, as if it had happened: orders, stock, ledger.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from domain.common.environment import Environment, now, using
from domain.common.errors import OutOfStock
from domain.common.money import Money
from domain.common.pages import PageRequest
from domain.identity.permissions import Caller, Role
from domain.identity.tenants import NewOwner, NewTenant, TenantSettings
from domain.identity.users import NewUser
from domain.items import Item
from domain.ledger.accounts import AccountType, Direction, NewAccount
from domain.ledger.transactions import NewEntry, NewTransaction
from domain.orders.checkout import NewLine, NewOrder
from domain.orders.order import Order
from domain.payments.payment import NewPayment
from local.samples.catalogue import CURRENCY, catalogue
from local.samples.clock import TickingClock
from repositories.aws.clients import dynamodb
from repositories.aws.settings import settings
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Meter, Table
from repositories.identity.tenants import TenantRepository
from repositories.identity.user_pool import user_pool
from repositories.identity.users import UserRepository
from repositories.items.repository import ItemRepository
from repositories.ledger.repository import LedgerRepository
from repositories.orders.repository import OrderRepository
from repositories.payments.repository import PaymentRepository

DAYS = 30
_CUSTOMERS = ("Ada", "Ben", "Carla", "Dora", "Emil", "Finn", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leo")
_OPERATOR = "arn:aws:iam::000000000000:user/local-operator"
_ACCOUNTS = {
    "bank": ("Bank", AccountType.ASSET),
    "capital": ("Capital", AccountType.EQUITY),
    "rent": ("Rent", AccountType.EXPENSE),
    "wages": ("Wages", AccountType.EXPENSE),
    "supplies": ("Supplies", AccountType.EXPENSE),
}


@dataclass(slots=True)
class DemoShop:
    """The demonstration shop of one tenant, while it is being made."""

    tenant: str
    clock: TickingClock
    chance: Random
    items: list[Item] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)
    owner: str = ""
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def owner_email(self) -> str:
        """E-mail address of the owner."""
        return f"owner@{self.tenant.strip('-') or 'shop'}.test"

    def open(self) -> None:
        """Add the tenant, its customers, items and accounts. Raises InvalidState if there is such a tenant."""
        owner = NewOwner(email=self.owner_email, name="Olga Owner")
        shop = NewTenant(
            id=self.tenant,
            name="Cup & Saucer",
            currencies=[CURRENCY],
            settings=TenantSettings(allow_sign_up=True),
            owner=owner,
        )
        TenantRepository(self._session(_OPERATOR), user_pool()).create(shop)
        users = UserRepository(self._session(_OPERATOR), user_pool())
        self.owner = users.by_email(owner.email, PageRequest(1)).items[0].id
        for name in _CUSTOMERS:
            new = NewUser(email=f"{name.lower()}@customers.test", name=f"{name} Customer", role=Role.CUSTOMER)
            self.customers.append(UserRepository(self._session(self.owner), user_pool()).create(new).id)
        self.items = [ItemRepository(self._session(self.owner)).create(new) for new in catalogue()]
        for code, (name, kind) in _ACCOUNTS.items():
            opened = NewAccount(code=code, name=name, type=kind, currency=CURRENCY)
            self.accounts[code] = LedgerRepository(self._session(self.owner)).open_account(opened).id
        self._post("Capital paid in", "bank", "capital", 2_000_000)
        self._post("Rent", "rent", "bank", 85_000)

    def trade(self, day: int) -> None:
        """Let a day pass: orders, their payment, shipment and returns, and what is paid on that day."""
        for _ in range(self.chance.randint(2, 6)):
            self.clock.at += timedelta(minutes=self.chance.randint(20, 150))
            order = self._order()
            self.statuses[self._fate(order)] += 1
        if day % 7 == 6:
            self._post("Wages of the week", "wages", "bank", 62_000)
        if day % 10 == 3:
            self._post("Boxes and tape", "supplies", "bank", self.chance.randint(2_000, 9_000))

    def leave_open(self) -> None:
        """Place the orders that wait for their payment."""
        for _ in range(3):
            self._order()
            self.statuses["pending"] += 1

    def _order(self) -> Order:
        while True:
            chosen = self.chance.sample(self.items, self.chance.randint(1, 4))
            lines = [NewLine(item_id=item.id, quantity=self.chance.randint(1, 3)) for item in chosen]
            customer = self.chance.choice(self.customers)
            session = self._session(customer, Role.CUSTOMER)
            with suppress(OutOfStock):
                return OrderRepository(session).place(NewOrder(lines=lines, customer_id=customer))

    def _fate(self, order: Order) -> str:
        """Bring an order to where it ends, by chance; return its status."""
        [fate] = self.chance.choices(
            ["delivered", "shipped", "paid", "cancelled", "expired", "refunded"], [60, 12, 8, 6, 5, 9]
        )
        if fate == "cancelled":
            return str(self._after(9, lambda orders: orders.cancel(order.id)).status)
        if fate == "expired":
            return str(self._after(16, lambda orders: orders.expire(order.id)).status)
        self.clock.at += timedelta(minutes=3)
        PaymentRepository(self._session(self.owner)).pay(order.id, NewPayment(provider="manual"))
        if fate == "refunded":
            self.clock.at += timedelta(minutes=9)
            PaymentRepository(self._session(self.owner)).refund_rest(order.id, "Changed their mind")
        if fate in {"shipped", "delivered"}:
            self._after(8, lambda orders: orders.ship(order.id))
        if fate == "delivered":
            self._after(30, lambda orders: orders.deliver(order.id))
        return str(fate)

    def _after(self, minutes: int, move: Callable[[OrderRepository], Order]) -> Order:
        self.clock.at += timedelta(minutes=minutes)
        return move(OrderRepository(self._session(self.owner)))

    def _post(self, description: str, debit: str, credit: str, cents: int) -> None:
        amount = Money.of_minor(cents, CURRENCY)
        sides = ((debit, Direction.DEBIT), (credit, Direction.CREDIT))
        entries = [NewEntry(account_id=self.accounts[code], direction=side, amount=amount) for code, side in sides]
        LedgerRepository(self._session(self.owner)).post(NewTransaction(description=description, entries=entries))

    def _session(self, subject: str, role: Role = Role.OWNER) -> Session:
        table = Table(dynamodb(), settings().table_name, Meter())
        return Session(table, Caller(self.tenant, subject, role), now(), time.monotonic() + 60)


@contextmanager
def demo_shop(tenant: str) -> Iterator[tuple[DemoShop, Iterator[int]]]:
    """Yield a new shop, and the days that it trades; the clock in the context is that of the shop's past."""
    today = Environment().now()
    clock = TickingClock((today - timedelta(days=DAYS)).replace(hour=8, minute=0, second=0, microsecond=0))
    shop = DemoShop(tenant, clock, Random(tenant))  # noqa: S311 - the same shop each time

    def days() -> Iterator[int]:
        for day in range(DAYS):
            clock.at = (today - timedelta(days=DAYS - day)).replace(hour=8, minute=0, second=0, microsecond=0)
            yield day
        clock.at = today

    with using(clock):
        yield shop, days()
