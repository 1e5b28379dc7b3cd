"""GET /v1/exports/{export_id}: get an export with its files."""

from domain.common.errors import Contention, NotFound
from domain.exports import Export
from domain.identity.permissions import Permission
from handlers.dependencies.exports import Exports
from handlers.http.route import Route

api = Route()


@api.get("/v1/exports/<export_id>", permission=Permission.EXPORTS, raises=[Contention, NotFound])
def get_export(export_id: str, exports: Exports) -> Export:
    """Get an export. Once it has succeeded, each file has a fresh URL, which works for 15 minutes."""
    return exports.get(export_id)


handler = api.handler
