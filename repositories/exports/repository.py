"""Exports of the caller's tenant."""

from dataclasses import dataclass

from domain.common.errors import NotFound
from domain.common.events import DomainEvent
from domain.common.ids import is_id, new_id
from domain.common.pages import Page, PageRequest
from domain.exports import Export, ExportFile, ExportStatus, ExportSummary, Manifest, NewExport
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Stale, id_exists
from repositories.exports import keys as export_keys
from repositories.exports.files import MANIFEST, download_url
from repositories.exports.rows import Part, StoredExport, Written
from repositories.paging.lists import Listing, list_page

_PREFIX = "export"


@dataclass(frozen=True, slots=True)
class ExportRepository:
    """The exports of the caller's tenant."""

    session: Session

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def create(self, new: NewExport) -> Export:
        """Add an export and its first part, which a worker gets as soon as it can begin. Raises Contention."""
        return self.add(new_id(_PREFIX), new)

    def add(self, export_id: str, new: NewExport) -> Export:
        """Add an export with a given id. Raises as `create`."""
        tenant = self.session.tenant
        stored = StoredExport.new(export_id, new, self.session.at)
        row, export = stored.to_row(tenant), stored.export
        tx = self.session.transaction()
        tx.create("add the export", row, raises=id_exists)
        tx.create("add the first part", Part.first(export).to_row(tenant, row["ttl"]), raises=id_exists)
        shown = Export(**dict(export), files=[], manifest=None)
        self.session.commit(tx, shown, DomainEvent("ExportCreated", export.id, 1, _data(export)))
        return shown

    @uses(IamAction.GET, IamAction.QUERY, IamAction.READ_EXPORTS)
    @retry_on_conflict
    def get(self, export_id: str) -> Export:
        """Return an export, with fresh download URLs. Raises NotFound, Contention."""
        stored = self._read(export_id)
        export, files, manifest = stored.export, list[ExportFile](), None
        if export.expires_at and self.session.at < export.expires_at:
            written = [part.written for part in parts(self.session, export_id) if part.written]
            files = [self._file(export, each) for each in written]
            if stored.manifest:
                sha256, size = stored.manifest
                manifest = Manifest(url=self._url(export, MANIFEST), bytes=size, sha256=sha256)
        return Export(**dict(export), files=files, manifest=manifest)

    @uses(IamAction.LIST)
    def page(self, page: PageRequest) -> Page[ExportSummary]:
        """Return a page of the exports, newest first. Raises CursorInvalid."""
        rows, cursor = list_page(Listing.of_all(self.session, export_keys.COLLECTION), page)
        return Page(items=[ExportSummary(**row["head"]) for row in rows], next_cursor=cursor)

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def cancel(self, export_id: str) -> None:
        """Cancel an export that is not finished. Raises NotFound, InvalidState, Contention."""
        stored = self._read(export_id)
        if stored.export.status is ExportStatus.CANCELLED:
            return
        end(self.session, stored, ExportStatus.CANCELLED)

    def _read(self, export_id: str) -> StoredExport:
        known = is_id(_PREFIX, export_id)
        row = self.session.find(export_keys.export(self.session.tenant, export_id)) if known else None
        if row is None:
            raise NotFound("export")
        return StoredExport.from_row(row)

    def _file(self, export: ExportSummary, written: Written) -> ExportFile:
        url = self._url(export, written.name)
        return ExportFile(name=written.name, url=url, rows=written.rows, bytes=written.size, sha256=written.sha256)

    def _url(self, export: ExportSummary, name: str) -> str:
        return download_url(export_keys.object_name(self.session.tenant, export.id, name), f"{export.id}-{name}")


def parts(session: Session, export_id: str) -> list[Part]:
    """Return the parts of an export, in order."""
    first, last = (export_keys.part(session.tenant, export_id, number) for number in (0, export_keys.MAX_PARTS))
    values = {":pk": first.pk, ":first": first.sk, ":last": last.sk}
    return [Part.from_row(row) for row in session.table.every("pk = :pk AND sk BETWEEN :first AND :last", values)]


def end(
    session: Session,
    stored: StoredExport,
    status: ExportStatus,
    error: str | None = None,
    manifest: tuple[str, int] | None = None,
) -> None:
    """Finish an export. Raises Stale if it has changed since it was read, InvalidState if it is finished."""
    ended = StoredExport(
        stored.export.ended(status, session.at, error), stored.spreadsheet_safe, stored.stalls, manifest
    )
    tx = session.transaction()
    seen = stored.export.version
    tx.put("finish the export", ended.to_row(session.tenant), condition="version = :seen", raises=Stale(), seen=seen)
    kind = f"Export{status.title()}"
    session.commit_events(tx, DomainEvent(kind, ended.export.id, 2, _data(ended.export), at=ended.export.updated_at))


def _data(export: ExportSummary) -> dict[str, str]:
    return {"dataset": export.dataset.value, "format": export.format.value}
