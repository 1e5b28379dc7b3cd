"""Lines, charges, taxes and totals of an order."""

from collections.abc import Iterable

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from domain.common.model import Model
from domain.common.money import Money
from domain.orders.pricing import ChargeKind
from domain.orders.status import FulfillmentStatus


class OrderLine(Model):
    """Units of one item, or a booking, at its price when the order was placed.

    `total` is that of all units, before discount. For a booking, `item_id` is its id too, and `sku` its resource's.
    """

    item_id: str
    booking_id: str | None = None
    sku: str | None
    name: str
    quantity: int
    unit_price: Money
    discount: Money
    """Share of the order's discounts."""
    tax_rate: str | None
    tax: Money
    total: Money
    shipped: int = 0
    """Units that have been shipped."""
    returned: int = 0
    """Units that have been refunded, whether they had been shipped or not."""
    freed: SkipJsonSchema[int] = Field(default=0, exclude=True)
    """Units that were refunded before they were shipped; not shown."""
    restocked: SkipJsonSchema[int] = Field(default=0, exclude=True)
    """Units that returned to the stock after they were shipped; not shown."""

    @property
    def to_ship(self) -> int:
        """Units that remain to be shipped; bookings are not."""
        return 0 if self.booking_id else self.quantity - self.shipped - self.freed

    @property
    def sold_id(self) -> str:
        """Id of what figures of sales count it for: the item, or the resource of a booking."""
        return self.sku if self.booking_id and self.sku else self.item_id

    @property
    def refundable(self) -> int:
        """Units that remain to be refunded."""
        return self.quantity - self.returned

    def plus(self, **units: int) -> "OrderLine":
        """Return the line with more units shipped, returned, freed or restocked."""
        return self.model_copy(update={name: getattr(self, name) + count for name, count in units.items()})


def shipped_of(lines: Iterable[OrderLine]) -> FulfillmentStatus:
    """Return what has been shipped of lines."""
    units = [(line.shipped, line.to_ship) for line in lines]
    if not any(shipped for shipped, _ in units):
        return FulfillmentStatus.UNFULFILLED
    in_part = any(to_ship for _, to_ship in units)
    return FulfillmentStatus.PARTIALLY_SHIPPED if in_part else FulfillmentStatus.SHIPPED


class Charge(Model):
    """A charge of an order; `discount` is its share of the order's discounts. Discounts have no tax."""

    kind: ChargeKind
    label: str
    amount: Money
    discount: Money
    tax_rate: str | None
    tax: Money


class TaxSum(Model):
    """Tax of an order at one rate."""

    name: str
    rate: str
    amount: Money


class AppliedDiscount(Model):
    """The discount code of an order, and what it takes off the lines."""

    id: str
    code: str
    amount: Money


class Amounts(Model):
    """Lines, charges and totals of an order. `total` is what is to be paid, with tax."""

    lines: list[OrderLine]
    charges: list[Charge]
    discount: AppliedDiscount | None
    """Use of a discount code. It is one of the discounts in `discount_total`."""
    taxes: list[TaxSum]
    prices_include_tax: bool
    subtotal: Money
    """Sum of the lines' totals."""
    discount_total: Money
    shipping_total: Money
    tax_total: Money
    total: Money


class Quote(Amounts):
    """What an order would come to."""
