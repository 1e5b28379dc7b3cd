"""Use of a discount code by an order: whether it can be used, and what it takes off."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from domain.common.errors import DiscountInvalid
from domain.common.money import Money


@dataclass(frozen=True, slots=True)
class DiscountTerms:
    """What a discount takes off an order, its conditions, and its uses so far. None is no limit."""

    id: str
    code: str
    percent: Decimal | None
    amount: Money | None
    min_subtotal: Money | None
    starts_at: datetime | None
    ends_at: datetime | None
    max_uses: int | None
    max_uses_per_customer: int | None
    uses: int
    uses_by_customer: int
    is_archived: bool

    @property
    def is_used_up_by_customer(self) -> bool:
        """Whether the customer has used the code as often as allowed."""
        return self.max_uses_per_customer is not None and self.uses_by_customer >= self.max_uses_per_customer

    def applied_to(self, subtotal: Money, at: datetime) -> Money:
        """Return what the code takes off an order's lines: never more than all. Raises DiscountInvalid."""
        self._require_time(at)
        self._require_order(subtotal)
        if self.max_uses is not None and self.uses >= self.max_uses:
            raise DiscountInvalid("It has been used up.")
        if self.is_used_up_by_customer:
            raise DiscountInvalid("The customer has used it as often as allowed.")
        return Money.of_minor(min(self._minor_of(subtotal), subtotal.minor), subtotal.currency)

    def _require_time(self, at: datetime) -> None:
        if self.is_archived or (self.ends_at and self.ends_at <= at):
            raise DiscountInvalid("It can no longer be used.")
        if self.starts_at and at < self.starts_at:
            raise DiscountInvalid("It cannot be used yet.")

    def _require_order(self, subtotal: Money) -> None:
        for money in (self.amount, self.min_subtotal):
            if money and money.currency != subtotal.currency:
                raise DiscountInvalid(f"It is for orders in {money.currency}.")
        if self.min_subtotal and subtotal.minor < self.min_subtotal.minor:
            raise DiscountInvalid(f"It is for orders of {self.min_subtotal} or more.")

    def _minor_of(self, subtotal: Money) -> int:
        if self.amount:
            return self.amount.minor
        exact = subtotal.minor * (self.percent or Decimal()) / 100
        return int(exact.to_integral_value(ROUND_HALF_UP))
