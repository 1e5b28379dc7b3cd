"""Orders: lines, totals, status and the allowed status changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from domain.common.errors import InvalidState
from domain.common.ids import USER_ID
from domain.common.model import A_NUMBER, Model, Text, Timestamp, at_most
from domain.common.money import Money
from domain.stock import MAX_UNITS

MAX_ITEMS = 90
"""Maximum distinct items per order, so that its writes fit DynamoDB's limit of 100 actions per transaction."""
MAX_LINES = 1000

SYSTEM = "system"
"""Actor recorded for automatic status changes."""


class OrderStatus(StrEnum):
    """Status of an order."""

    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REFUNDED = "refunded"


class StockEffect(StrEnum):
    """Effect of a status change on the units reserved for an order."""

    NONE = "leave"
    RESERVE = "reserve"
    RELEASE = "release"
    TAKE = "take"


MOVES: dict[tuple[OrderStatus, OrderStatus], StockEffect] = {
    (OrderStatus.PENDING, OrderStatus.PAID): StockEffect.NONE,
    (OrderStatus.PENDING, OrderStatus.CANCELLED): StockEffect.RELEASE,
    (OrderStatus.PENDING, OrderStatus.EXPIRED): StockEffect.RELEASE,
    (OrderStatus.PAID, OrderStatus.SHIPPED): StockEffect.TAKE,
    (OrderStatus.PAID, OrderStatus.REFUNDED): StockEffect.RELEASE,
    (OrderStatus.SHIPPED, OrderStatus.DELIVERED): StockEffect.NONE,
}
"""Allowed status changes and their effect on stock. Placing an order reserves its units."""


def effect_of(current: OrderStatus, wanted: OrderStatus) -> StockEffect:
    """Return the effect of a status change on stock. Raises InvalidState if the change is not allowed."""
    effect = MOVES.get((current, wanted))
    if effect is None:
        raise InvalidState(f"An order that is {current} cannot become {wanted}.")
    return effect


@dataclass(frozen=True, slots=True)
class Reservation:
    """Units reserved for an order in one shard of an item's stock."""

    item_id: str
    shard: int
    units: int


UserId = Annotated[
    str,
    Field(pattern=f"^{USER_ID}$", examples=["5a0c2f0e-52a3-4f0a-8a0e-3e1d9f6c7b21"]),
]


class NewLine(Model):
    """An item and quantity to order. The order is rejected if `unit_price` is set and is not the item's price."""

    item_id: Annotated[str, Field(max_length=64, examples=["item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2"])]
    quantity: Annotated[int, Field(ge=1, le=MAX_UNITS, examples=[2]), A_NUMBER]
    unit_price: Money | None = None


def _has_few_items(lines: list[NewLine]) -> list[NewLine]:
    if len({line.item_id for line in lines}) > MAX_ITEMS:
        raise PydanticCustomError("too_many_items", "An order may have 90 different items at most")
    return lines


class NewOrder(Model):
    """An order to place. Lines of one item are merged. Staff and owners can order for a customer (`customer_id`)."""

    lines: Annotated[
        list[NewLine],
        Field(min_length=1, max_length=MAX_LINES),
        AfterValidator(_has_few_items),
        at_most(MAX_LINES),
    ]
    customer_id: UserId | None = None
    note: Annotated[Text, Field(min_length=1, max_length=1000)] | None = None


class OrderLine(Model):
    """Units of one item, at its price when the order was placed."""

    item_id: str
    sku: str | None
    name: str
    quantity: int
    unit_price: Money
    total: Money

    @classmethod
    def of(cls, item_id: str, sku: str | None, name: str, quantity: int, unit_price: Money) -> Self:
        """Return the line with its total."""
        total = Money.of_minor(unit_price.minor * quantity, unit_price.currency)
        return cls(item_id=item_id, sku=sku, name=name, quantity=quantity, unit_price=unit_price, total=total)


class StatusChange(Model):
    """An entry of an order's history: the status, the time, and the user who set it (an id, or `system`)."""

    status: OrderStatus
    at: Timestamp
    by: str


class OrderSummary(Model):
    """An order as shown in lists."""

    id: str
    customer_id: str
    status: OrderStatus
    total: Money
    hold_expires_at: Timestamp | None
    version: int
    created_at: Timestamp
    updated_at: Timestamp


class Order(OrderSummary):
    """An order. While it is pending, its units are reserved until `hold_expires_at`, which is null in other states."""

    lines: list[OrderLine]
    note: str | None
    history: list[StatusChange]

    @classmethod
    def placed(
        cls,
        order_id: str,
        customer_id: str,
        lines: Sequence[OrderLine],
        *,
        by: str,
        at: datetime,
        hold_expires_at: datetime,
        note: str | None = None,
    ) -> Self:
        """Return the first version of an order. All lines must be in one currency."""
        return cls(
            id=order_id,
            customer_id=customer_id,
            status=OrderStatus.PENDING,
            lines=list(lines),
            total=total_of(lines),
            note=note,
            hold_expires_at=hold_expires_at,
            version=1,
            created_at=at,
            updated_at=at,
            history=[StatusChange(status=OrderStatus.PENDING, at=at, by=by)],
        )

    def moved(self, wanted: OrderStatus, by: str, at: datetime) -> "Order":
        """Return the order with status `wanted`. Raises InvalidState if the change is not allowed.

        That includes payment after the reservation has ended, and expiry before.
        """
        effect_of(self.status, wanted)
        if wanted is OrderStatus.PAID and self.is_due(at):
            raise InvalidState("The time to pay is over, and the order is about to expire.")
        if wanted is OrderStatus.EXPIRED and not self.is_due(at):
            raise InvalidState("The order still holds its stock.")
        at = max(at, self.updated_at)
        changes = {
            "status": wanted,
            "hold_expires_at": None,
            "version": self.version + 1,
            "updated_at": at,
            "history": [*self.history, StatusChange(status=wanted, at=at, by=by)],
        }
        return self.model_copy(update=changes)

    def is_due(self, at: datetime) -> bool:
        """Return whether the order is pending and its reservation has ended at `at`."""
        return self.hold_expires_at is not None and self.hold_expires_at <= at


def total_of(lines: Iterable[OrderLine]) -> Money:
    """Return the total of one or more lines, which must be in one currency."""
    totals = [line.total for line in lines]
    return Money.of_minor(sum(total.minor for total in totals), totals[0].currency)
