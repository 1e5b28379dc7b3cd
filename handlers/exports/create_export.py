"""POST /v1/exports: begin an export."""

from domain.common.errors import Contention
from domain.exports import Export, NewExport
from domain.identity.permissions import Permission
from handlers.dependencies.exports import Exports
from handlers.http.route import Route

api = Route()


@api.post("/v1/exports", permission=Permission.EXPORTS, status=202, raises=[Contention], location="/v1/exports/{id}")
def create_export(new: NewExport, exports: Exports) -> Export:
    """Begin an export: of all that was created in a time range, at most until now. Its files are written later.

    It begins 30 seconds after the end of the range at the earliest, when requests that ran then have ended. A row that
    changes during the export is exported as it was read; `version` and `exported_at` say which state that is.
    """
    return exports.create(new)


handler = api.handler
