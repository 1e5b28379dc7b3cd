"""PATCH /v1/discounts/{discount_id}: change a discount by a JSON merge patch (RFC 7396)."""

from domain.common.errors import Contention, InvalidState, NotFound, PreconditionFailed
from domain.discounts import Discount, DiscountPatch
from domain.identity.permissions import Permission
from handlers.dependencies.discounts import Discounts
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.patch(
    "/v1/discounts/<discount_id>",
    permission=Permission.DISCOUNTS_WRITE,
    raises=[Contention, NotFound, InvalidState, PreconditionFailed, PreconditionRequired],
)
def change_discount(discount_id: str, patch: DiscountPatch, if_match: IfMatch, discounts: Discounts) -> Discount:
    """Change a discount. Fields left out are unchanged; null removes a value. Its code cannot be changed.

    Orders that were placed keep their discount. 409 if it is archived.
    """
    return discounts.change(discount_id, patch, versions_in(if_match))


handler = api.handler
