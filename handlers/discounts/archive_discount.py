"""DELETE /v1/discounts/{discount_id}: archive a discount."""

from domain.common.errors import Contention, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from handlers.dependencies.discounts import Discounts
from handlers.http.etags import versions_in
from handlers.http.parameters import OptionalIfMatch
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/discounts/<discount_id>",
    permission=Permission.DISCOUNTS_WRITE,
    status=204,
    raises=[Contention, NotFound, PreconditionFailed],
)
def archive_discount(discount_id: str, discounts: Discounts, if_match: OptionalIfMatch = None) -> None:
    """Archive a discount. Its code can no longer be used; orders that were placed keep their discount."""
    discounts.archive(discount_id, versions_in(if_match or "*"))


handler = api.handler
