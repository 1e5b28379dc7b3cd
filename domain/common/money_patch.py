"""Changes to an amount of money."""

from typing import Annotated

from pydantic import MISSING, Field

from domain.common.model import Model


class MoneyPatch(Model):
    """A change to the amount, the currency or both."""

    amount: Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$")] | MISSING = MISSING
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | MISSING = MISSING
