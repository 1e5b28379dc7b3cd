"""GET /v1/discounts/{discount_id}: get a discount."""

from domain.common.errors import Contention, NotFound
from domain.discounts import Discount
from domain.identity.permissions import Permission
from handlers.dependencies.discounts import Discounts
from handlers.http.route import Route

api = Route()


@api.get("/v1/discounts/<discount_id>", permission=Permission.DISCOUNTS_READ, raises=[NotFound, Contention])
def get_discount(discount_id: str, discounts: Discounts) -> Discount:
    """Get a discount, with its number of uses."""
    return discounts.get(discount_id)


handler = api.handler
