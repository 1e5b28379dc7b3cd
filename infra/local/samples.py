"""The data that the sample events speak of."""

import time

from domain.access import Caller, Role
from domain.items import Item, NewItem
from domain.model import now
from domain.money import Money
from repositories.clients import dynamodb
from repositories.items import ItemRepository
from repositories.session import Session
from repositories.settings import settings
from repositories.table import Meter, Table

TENANT = "sample"
USER = "0b54c9a6-4e0c-4c7e-9c57-6ad3c1b0f7a1"
ITEM_ID = "item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2"


def add_samples() -> None:
    """Add them to the database that the environment names."""
    caller = Caller(TENANT, USER, Role.OWNER)
    session = Session(Table(dynamodb(), settings().table_name, Meter()), caller, now(), time.monotonic() + 10)
    new = NewItem(
        name="Enamel mug",
        price=Money.of_minor(1299, "EUR"),
        sku="MUG-RED",
        attributes={"colour": "red"},
        stock=10,
    )
    ItemRepository(session).add(Item.new(ITEM_ID, new, session.at))
