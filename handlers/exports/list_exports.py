"""GET /v1/exports: list exports."""

from domain.common.errors import CursorInvalid
from domain.common.pages import Page, PageRequest
from domain.exports import ExportSummary
from domain.identity.permissions import Permission
from handlers.dependencies.exports import Exports
from handlers.http.parameters import Cursor, Limit
from handlers.http.route import Route

api = Route()


@api.get("/v1/exports", permission=Permission.EXPORTS, raises=[CursorInvalid])
def list_exports(exports: Exports, limit: Limit = 50, cursor: Cursor = None) -> Page[ExportSummary]:
    """List the exports of the last 30 days, newest first, without their files."""
    return exports.page(PageRequest(limit, cursor))


handler = api.handler
