"""DELETE /v1/exports/{export_id}: cancel an export."""

from domain.common.errors import Contention, InvalidState, NotFound
from domain.identity.permissions import Permission
from handlers.dependencies.exports import Exports
from handlers.http.route import Route

api = Route()


@api.delete(
    "/v1/exports/<export_id>", permission=Permission.EXPORTS, status=204, raises=[Contention, InvalidState, NotFound]
)
def cancel_export(export_id: str, exports: Exports) -> None:
    """Cancel an export that is not finished. 409 if it is."""
    exports.cancel(export_id)


handler = api.handler
