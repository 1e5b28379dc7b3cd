"""Tests of shipments and refunds in parts, in any order, against a model that keeps its own accounts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.common.errors import InvalidState, RefundTooLarge
from domain.common.money import Money
from domain.identity.tenants import TenantSettings
from domain.orders.checkout import NewCharge, NewLine, NewOrder
from domain.orders.order import Order
from domain.orders.parts import NewRefund, NewShipment, RefundLine, ShipmentLine
from domain.orders.pricing import ChargeKind
from domain.orders.quotes import Offer, Terms, quote
from domain.orders.redemption import DiscountTerms
from domain.orders.refunding import Issue, Refunding, refund, refund_rest
from domain.orders.reserved import left_stock, still_reserved
from domain.orders.revenue import ACCOUNTS, credits_of
from domain.orders.shipping import Shipping, ship
from domain.orders.status import OrderStatus
from domain.stock import Reservation, UnitChange
from domain.tax import TaxRate, TaxSettings

AT = datetime(2026, 11, 21, tzinfo=UTC)
ISSUE = Issue("refund_1", "txn_1", "owner", AT, None)
RATES = st.sampled_from(["0", "0.07", "0.19", "0.255", "1"])


def eur(minor: int) -> Money:
    return Money.of_minor(minor, "EUR")


@st.composite
def paid_orders(draw: st.DrawFn) -> tuple[Order, list[Reservation]]:
    """A paid order of any lines, rates, code and charges, and the shards that its units are reserved in."""
    lines = draw(st.lists(st.tuples(st.integers(1, 7), st.integers(0, 3000)), min_size=1, max_size=4))
    ids = [f"item_{number}" for number in range(len(lines))]
    classes = [TaxRate(country="*", tax_class=each, rate=draw(RATES), name=each) for each in ("standard", "reduced")]
    offers = {
        item: Offer(item, None, eur(price), sellable=True, tax_class=draw(st.sampled_from(["standard", "reduced"])))
        for item, (_, price) in zip(ids, lines, strict=True)
    }
    subtotal = sum(quantity * price for quantity, price in lines)
    charges = draw(st.lists(st.tuples(st.sampled_from(["shipping", "fee"]), st.integers(0, 900)), max_size=3))
    code = draw(st.one_of(st.none(), st.integers(1, 4000)))
    left = max(0, subtotal - (code or 0)) + sum(amount for _, amount in charges)
    off = draw(st.integers(0, min(left, 500)))
    added = [NewCharge(kind=ChargeKind(kind), label=kind, amount=eur(amount)) for kind, amount in charges]
    if off:
        added.append(NewCharge(kind=ChargeKind.DISCOUNT, label="loyalty", amount=eur(off)))
    new = NewOrder(
        lines=[NewLine(item_id=item, quantity=quantity) for item, (quantity, _) in zip(ids, lines, strict=True)],
        charges=added,
        discount_code="CODE" if code else None,
    )
    discount = _terms(code) if code else None
    tax = TaxSettings(prices_include_tax=draw(st.booleans()), rates=classes)
    amounts = quote(new, Terms(offers, TenantSettings(tax=tax), discount), AT)
    placed = Order.placed("order_1", new, amounts, by="owner", at=AT, hold_expires_at=AT.replace(year=2027))
    holds = []
    for item, (quantity, _) in zip(ids, lines, strict=True):
        first = draw(st.integers(0, quantity))
        holds += [Reservation(item, shard, units) for shard, units in ((3, first), (0, quantity - first)) if units]
    return placed.moved(OrderStatus.PAID, "owner", AT), holds


def _terms(minor: int) -> DiscountTerms:
    return DiscountTerms("discount_1", "CODE", None, eur(minor), None, None, None, None, None, 0, 0, is_archived=False)


@dataclass
class Model:
    """What a shopkeeper would note: units by item and money by account."""

    order: Order
    holds: list[Reservation]
    shipped: Counter[str] = field(default_factory=Counter)
    freed: Counter[str] = field(default_factory=Counter)
    returned: Counter[str] = field(default_factory=Counter)
    restocked: Counter[str] = field(default_factory=Counter)
    refunded: int = 0
    debited: Counter[str] = field(default_factory=Counter)
    reserved: Counter[tuple[str, int]] = field(default_factory=Counter)
    on_hand: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for hold in self.holds:
            self.reserved[hold.item_id, hold.shard] += hold.units

    def to_ship(self, item: str) -> int:
        return self.quantity(item) - self.shipped[item] - self.freed[item]

    def quantity(self, item: str) -> int:
        return next(line.quantity for line in self.order.lines if line.item_id == item)

    def share(self, item: str, units: int) -> int:
        """What units cost: their share of what was paid for the line, less what earlier ones cost."""
        line = next(line for line in self.order.lines if line.item_id == item)
        tax = 0 if self.order.prices_include_tax else line.tax.minor
        paid = line.unit_price.minor * line.quantity - line.discount.minor + tax
        price, before = Fraction(paid, line.quantity), self.returned[item]
        return floor(price * (before + units)) - floor(price * before)

    def change(self, changes: list[UnitChange]) -> None:
        assert len({(each.item_id, each.shard) for each in changes}) == len(changes)
        for each in changes:
            self.reserved[each.item_id, each.shard] += each.reserved
            self.on_hand[each.item_id] += each.on_hand
            assert self.reserved[each.item_id, each.shard] >= 0

    def ship(self, wanted: Mapping[str, int]) -> None:
        if self.order.status is not OrderStatus.PAID or any(self.to_ship(each) < n for each, n in wanted.items()):
            with pytest.raises(InvalidState):
                self._ship(wanted)
            return
        made = self._ship(wanted)
        self.shipped.update(wanted)
        self.change(made.changes)
        self.order = made.order

    def _ship(self, wanted: Mapping[str, int]) -> Shipping:
        lines = [ShipmentLine(item_id=item, quantity=units) for item, units in wanted.items()]
        return ship(self.order, self.holds, NewShipment(lines=lines), "shipment_1", "owner", AT)

    def refund_lines(self, lines: list[RefundLine], *, shipping: bool) -> None:
        wanted, back = Counter[str](), Counter[str]()
        for line in lines:
            wanted[line.item_id] += line.quantity
            back[line.item_id] += line.quantity * line.restock
        amount = sum(self.share(item, units) for item, units in wanted.items())
        if shipping:
            amount += self._shipping()
        new = NewRefund(lines=lines or None, shipping=shipping)
        too_many = any(units > self.quantity(item) - self.returned[item] for item, units in wanted.items())
        has_shipping = any(each.kind is ChargeKind.SHIPPING for each in self.order.charges)
        again = shipping and any(each.shipping for each in self.order.refunds)
        again |= shipping and not has_shipping and not lines
        is_over = self.order.status is OrderStatus.REFUNDED
        if is_over or too_many or again or amount > self.order.total.minor - self.refunded:
            with pytest.raises(RefundTooLarge):
                refund(self.order, self.holds, new, ISSUE)
            return
        for item, units in wanted.items():
            freed = min(units, self.to_ship(item))
            self.freed[item] += freed
            # Units to restock are taken from those that were not shipped last.
            self.restocked[item] += min(back[item], units - freed)
            self.returned[item] += units
        self._refunded(refund(self.order, self.holds, new, ISSUE), amount)

    def refund_amount(self, minor: int) -> None:
        new = NewRefund(amount=eur(minor))
        if self.order.status is OrderStatus.REFUNDED or minor > self.order.total.minor - self.refunded:
            with pytest.raises(RefundTooLarge):
                refund(self.order, self.holds, new, ISSUE)
            return
        self._refunded(refund(self.order, self.holds, new, ISSUE), minor)

    def refund_rest(self) -> None:
        if self.order.status is OrderStatus.REFUNDED:
            with pytest.raises(InvalidState):
                refund_rest(self.order, self.holds, ISSUE)
            return
        for line in self.order.lines:
            self.freed[line.item_id] += self.to_ship(line.item_id)
            self.returned[line.item_id] = line.quantity
        self._refunded(refund_rest(self.order, self.holds, ISSUE), self.order.total.minor - self.refunded)
        assert self.order.payment_status == "refunded"

    def _refunded(self, made: Refunding, amount: int) -> None:
        assert made.refund.amount == eur(amount)
        assert sum(made.debits.values()) == amount
        assert min(made.debits.values()) >= 0
        assert (made.refund.transaction_id is None) == (amount == 0)
        self.refunded += amount
        self.debited.update(made.debits)
        self.change(made.changes)
        self.order = made.order
        if self.order.status is OrderStatus.REFUNDED:
            for line in self.order.lines:
                left = self.to_ship(line.item_id)
                self.freed[line.item_id] += left
                self.returned[line.item_id] += left

    def _shipping(self) -> int:
        charges = [each for each in self.order.charges if each.kind is ChargeKind.SHIPPING]
        taxes = 0 if self.order.prices_include_tax else sum(each.tax.minor for each in charges)
        return sum(each.amount.minor - each.discount.minor for each in charges) + taxes

    def check(self) -> None:
        order = self.order
        for line in order.lines:
            item = line.item_id
            expected = (self.shipped[item], self.returned[item], self.freed[item], self.restocked[item])
            assert (line.shipped, line.returned, line.freed, line.restocked) == expected
        assert order.refunded_total.minor == self.refunded <= order.total.minor
        assert sum(each.amount.minor for each in order.refunds) == self.refunded
        paid = credits_of(order)
        assert sum(paid.values()) == order.total.minor
        assert paid["tax"] == order.tax_total.minor
        assert all(0 <= self.debited[account] <= paid[account] for account in ACCOUNTS)
        reserved = Counter[tuple[str, int]]()
        for hold in still_reserved(order, self.holds):
            reserved[hold.item_id, hold.shard] += hold.units
        assert reserved == +self.reserved
        assert left_stock(order, self.holds) == {item: -count for item, count in self.on_hand.items() if count}
        self.check_status()

    def check_status(self) -> None:
        order, left = self.order, sum(self.to_ship(line.item_id) for line in self.order.lines)
        is_paid_back = self.refunded == order.total.minor
        if order.status is OrderStatus.REFUNDED:
            assert (is_paid_back, left, order.payment_status) == (True, 0, "refunded")
        else:
            assert not (is_paid_back and order.total.minor)
            assert order.payment_status == ("partially_refunded" if self.refunded else "paid")
            assert order.status == ("shipped" if self.shipped.total() > 0 and left == 0 else "paid")
        kinds = {(False, False): "unfulfilled", (False, True): "unfulfilled", (True, True): "partially_shipped"}
        assert order.fulfillment_status == kinds.get((self.shipped.total() > 0, left > 0), "shipped")


@given(paid_orders(), st.data())
def test_parts_add_up_whatever_is_shipped_and_refunded(
    paid: tuple[Order, list[Reservation]], data: st.DataObject
) -> None:
    model = Model(*paid)
    model.check()
    items = [line.item_id for line in model.order.lines]
    units = st.dictionaries(st.sampled_from(items), st.integers(1, 4), min_size=1, max_size=3)
    back = st.builds(RefundLine, item_id=st.sampled_from(items), quantity=st.integers(1, 3), restock=st.booleans())
    for _ in range(data.draw(st.integers(0, 6))):
        what = data.draw(st.sampled_from(["ship", "lines", "lines", "shipping", "amount", "rest"]))
        if what == "ship":
            model.ship(data.draw(units))
        elif what == "amount":
            model.refund_amount(data.draw(st.integers(1, max(1, model.order.total.minor))))
        elif what == "rest":
            model.refund_rest()
        else:
            lines = data.draw(st.lists(back, min_size=1, max_size=3)) if what == "lines" else []
            model.refund_lines(lines, shipping=what == "shipping" or data.draw(st.booleans()))
        model.check()
    model.refund_rest()
    model.check()
    assert {each: model.debited[each] for each in ACCOUNTS} == credits_of(model.order)


@given(paid_orders())
def test_unit_by_unit_a_line_is_refunded_to_exactly_what_was_paid(paid: tuple[Order, list[Reservation]]) -> None:
    model = Model(*paid)
    for line in model.order.lines:
        tax = 0 if model.order.prices_include_tax else line.tax.minor
        before = model.refunded
        for _ in range(line.quantity):
            if model.order.status is not OrderStatus.REFUNDED:
                model.refund_lines([RefundLine(item_id=line.item_id, quantity=1)], shipping=False)
        if model.order.status is not OrderStatus.REFUNDED:
            assert model.refunded - before == line.total.minor - line.discount.minor + tax
    model.check()
