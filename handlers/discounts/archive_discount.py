"""DELETE /v1/discounts/{discount_id}: archive a discount."""

from domain.common.errors import Contention, NotFound, PreconditionFailed
from domain.identity.permissions import Permission
from handlers.dependencies.discounts import Discounts
from handlers.http.errors import PreconditionRequired
from handlers.http.etags import versions_in
from handlers.http.parameters import IfMatch
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/discounts/<discount_id>",
    permission=Permission.DISCOUNTS_WRITE,
    status=204,
    raises=[Contention, NotFound, PreconditionFailed, PreconditionRequired],
)
def archive_discount(discount_id: str, if_match: IfMatch, discounts: Discounts) -> None:
    """Archive a discount. Its code can no longer be used; orders that were placed keep their discount."""
    discounts.archive(discount_id, versions_in(if_match))


handler = api.handler
