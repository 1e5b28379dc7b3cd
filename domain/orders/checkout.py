"""Orders as clients send them."""

from collections.abc import Iterable
from typing import Annotated, ClassVar, Protocol

from pydantic import AfterValidator, Discriminator, Field, JsonValue, Tag
from pydantic_core import PydanticCustomError

from domain.common.codes import DiscountCode
from domain.common.ids import USER_ID
from domain.common.iso.countries import Country
from domain.common.model import A_NUMBER, Model, SingleLine, Text, at_most, of_kilobytes
from domain.common.money import Money
from domain.orders.pricing import ChargeKind
from domain.stock import MAX_UNITS

MAX_ITEMS = 90
"""Maximum distinct items per order, so that its writes fit DynamoDB's limit of 100 actions per transaction."""
MAX_LINES = 1000
MAX_CHARGES = 20
MAX_ATTRIBUTES_KB = 4


UserId = Annotated[
    str,
    Field(pattern=f"^{USER_ID}$", examples=["5a0c2f0e-52a3-4f0a-8a0e-3e1d9f6c7b21"]),
]


class ItemUnits(Protocol):
    """A line with units of an item."""

    @property
    def item_id(self) -> str:
        """Id of the item."""

    @property
    def quantity(self) -> int:
        """Number of units."""


def quantities(lines: Iterable[ItemUnits]) -> dict[str, int]:
    """Return the units per item id, in the order of the items' first lines."""
    units: dict[str, int] = {}
    for line in lines:
        units[line.item_id] = units.get(line.item_id, 0) + line.quantity
    return units


class NewBookingLine(Model):
    """A booking to order: it is held with the order, and confirmed when that is paid."""

    booking_id: Annotated[str, Field(max_length=64, examples=["booking_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2"])]

    id_name: ClassVar = "booking_id"
    quantity: ClassVar = 1
    unit_price: ClassVar = None

    @property
    def item_id(self) -> str:
        """What the order sells: the booking."""
        return self.booking_id


class NewLine(Model):
    """An item and quantity to order. The order is rejected if `unit_price` is set and is not the item's price."""

    item_id: Annotated[str, Field(max_length=64, examples=["item_01JD3ZK8Q4M5X6Y7Z8A9B0C1D2"])]
    quantity: Annotated[int, Field(ge=1, le=MAX_UNITS, examples=[2]), A_NUMBER]
    unit_price: Money | None = None

    id_name: ClassVar = "item_id"


def _kind(line: object) -> str:
    is_booking = "booking_id" in line if isinstance(line, dict) else isinstance(line, NewBookingLine)
    return "kind-booking" if is_booking else "kind-item"


AnyLine = Annotated[
    Annotated[NewLine, Tag("kind-item")] | Annotated[NewBookingLine, Tag("kind-booking")], Discriminator(_kind)
]


def _has_few_items(lines: list[AnyLine]) -> list[AnyLine]:
    if len({line.item_id for line in lines}) > MAX_ITEMS:
        raise PydanticCustomError("too_many_items", "An order may have 90 different items at most")
    bookings = [line.booking_id for line in lines if isinstance(line, NewBookingLine)]
    if len(set(bookings)) < len(bookings):
        raise PydanticCustomError("booking_twice", "A booking may be there once")
    return lines


class Address(Model):
    """A postal address. `country` is a code of ISO 3166-1."""

    name: Annotated[SingleLine, Field(max_length=200, examples=["Jane Doe"])]
    line1: Annotated[SingleLine, Field(max_length=200, examples=["12 High Street"])]
    line2: Annotated[SingleLine, Field(max_length=200)] | None = None
    city: Annotated[SingleLine, Field(max_length=100, examples=["Leeds"])]
    region: Annotated[SingleLine, Field(max_length=100)] | None = None
    postal_code: Annotated[SingleLine, Field(max_length=20, examples=["LS1 4AP"])] | None = None
    country: Country


class NewCharge(Model):
    """A charge to add to an order, or a discount to subtract from it."""

    kind: ChargeKind
    label: Annotated[SingleLine, Field(max_length=200, examples=["Gift wrapping"])]
    amount: Money


OrderAttributes = Annotated[
    dict[str, JsonValue], AfterValidator(of_kilobytes(MAX_ATTRIBUTES_KB)), Field(examples=[{"channel": "web"}])
]


class NewOrder(Model):
    """An order to place. Lines of one item are merged.

    Only staff and owners can order for a customer (`customer_id`) and set `charges`. The order is rejected if
    `expected_total` is set and is not its total.
    """

    lines: Annotated[
        list[AnyLine],
        Field(min_length=1, max_length=MAX_LINES),
        AfterValidator(_has_few_items),
        at_most(MAX_LINES),
    ]
    customer_id: UserId | None = None
    note: Annotated[Text, Field(min_length=1, max_length=1000)] | None = None
    discount_code: DiscountCode | None = None
    shipping_option: Annotated[SingleLine, Field(max_length=32, examples=["parcel"])] | None = None
    shipping_address: Address | None = None
    attributes: OrderAttributes = Field(default_factory=dict)
    charges: Annotated[list[NewCharge], Field(max_length=MAX_CHARGES), at_most(MAX_CHARGES)] = Field(
        default_factory=list
    )
    expected_total: Money | None = None

    @property
    def booking_ids(self) -> list[str]:
        """Ids of the bookings to order."""
        return [line.booking_id for line in self.lines if isinstance(line, NewBookingLine)]

    @property
    def item_lines(self) -> list[NewLine]:
        """Lines with items."""
        return [line for line in self.lines if isinstance(line, NewLine)]

    @property
    def country(self) -> str | None:
        """Country that the order is shipped to, if it is known."""
        return self.shipping_address.country if self.shipping_address else None
