"""Catalogue of the demonstration shop."""

from collections.abc import Iterator

from domain.common.money import Money
from domain.items import NewItem

CURRENCY = "EUR"

_WARES: tuple[tuple[str, str, int, int], ...] = (
    ("Espresso cup", "cups", 890, 120),
    ("Cappuccino cup", "cups", 1190, 90),
    ("Enamel mug", "cups", 1299, 150),
    ("Tea bowl", "cups", 1450, 60),
    ("Teapot", "pots", 3900, 25),
    ("Milk jug", "pots", 1690, 40),
    ("Dinner plate", "plates", 1590, 80),
    ("Side plate", "plates", 1090, 80),
)
"""Name, category, price in cents and units of each ware, which comes in each colour."""
_COLOURS = ("white", "red", "forest", "midnight")
_SINGLE: tuple[tuple[str, str, int, int | None], ...] = (
    ("Bread board, oak", "kitchen", 2900, 30),
    ("Butter knife", "kitchen", 750, 100),
    ("Linen tea towel", "kitchen", 990, 200),
    ("Cookbook: Bread", "books", 2800, 35),
    ("Cookbook: Soup", "books", 2600, 20),
    ("Coffee beans, 250 g", "pantry", 950, 300),
    ("Loose tea, 100 g", "pantry", 780, 180),
    ("Gift card", "services", 2500, None),
    ("Gift wrap", "services", 300, None),
)
"""The same for wares in one form; None: units are not counted."""
_TAX_CLASSES = {"books": "reduced", "pantry": "reduced", "services": "zero"}


def catalogue() -> Iterator[NewItem]:
    """Yield the items: cups, plates and pots in four colours, and what goes with them."""
    for name, category, cents, units in _WARES:
        for colour in _COLOURS:
            yield _item(f"{name}, {colour}", category, cents, units, colour=colour)
    for name, category, cents, counted in _SINGLE:
        yield _item(name, category, cents, counted)


def _item(name: str, category: str, cents: int, units: int | None, **attributes: str) -> NewItem:
    return NewItem(
        name=name,
        sku="-".join(name.upper().replace(",", "").replace(":", "").split()),
        price=Money.of_minor(cents, CURRENCY),
        description=f"{name}. From our {category}.",
        attributes={"category": category, **attributes},
        tax_class=_TAX_CLASSES.get(category, "standard"),
        stock=units,
    )
