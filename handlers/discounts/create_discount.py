"""POST /v1/discounts: add a discount code."""

from domain.common.errors import Contention, InvalidState
from domain.discounts import Discount, NewDiscount
from domain.identity.permissions import Permission
from handlers.dependencies.discounts import Discounts
from handlers.http.route import Route

api = Route()


@api.post("/v1/discounts", permission=Permission.DISCOUNTS_WRITE, status=201, raises=[InvalidState, Contention])
def create_discount(new: NewDiscount, discounts: Discounts) -> Discount:
    """Add a discount: a percentage or an amount off the lines of orders that name its code.

    Codes are compared without case. 409 if another discount has the code, even if that is archived.
    """
    return discounts.create(new)


handler = api.handler
