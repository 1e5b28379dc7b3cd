"""Writing of exports, part by part.

A part reads a stretch of a list, writes it to a file, and marks itself as done in the transaction that counts it and
adds the parts that follow. Whatever is interrupted before is done again: the file of an attempt that was not marked is
never shown, as its name has the checksum of its content. If two workers write one part, the first mark counts.
"""

import json
from dataclasses import asdict, replace
from typing import Any

from domain.exports import ExportFormat, ExportStatus, ExportSummary, Progress
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.transaction import Stale, id_exists
from repositories.exports import keys as export_keys
from repositories.exports.datasets.readers import READERS
from repositories.exports.files import MANIFEST, Content, write_once
from repositories.exports.formats.encoding import encoder
from repositories.exports.reading import PartReading
from repositories.exports.repository import end, parts
from repositories.exports.rows import Part, StoredExport, Written

_SUFFIXES = {ExportFormat.CSV: "csv", ExportFormat.JSONL: "jsonl.gz", ExportFormat.PARQUET: "parquet"}
_WRITING_SECONDS = 60.0
"""Time that is left for writing a part when its reading ends."""


_SHOWN = {"id", "dataset", "format", "start", "end", "only_status"}
"""What a manifest repeats of its export."""


class _Over(Exception):
    """The export is not wanted any more, or another worker has written the part."""


@uses(
    *(IamAction.GET, IamAction.BATCH_GET, IamAction.QUERY, IamAction.WALK, IamAction.PUT),
    IamAction.WRITE_EXPORTS,
)
def work(session: Session, key: Key) -> str:
    """Write the part with this key, or all that an export with this key lacks. Return what was done, for the log.

    Raises Unavailable, Contention.
    """
    export_id = export_keys.export_of(key.pk)
    is_part = key.sk.startswith(export_keys.PARTS)
    wanted = [part for part in parts(session, export_id) if not is_part or _key(session, part) == key]
    try:
        for part in wanted:
            if part.written is None:
                _write(session, part)
        return _finish(session, export_id)
    except _Over:
        return "over"


def _write(session: Session, part: Part) -> None:
    stored = _begun(session, part.export_id)
    export = stored.export
    reader = READERS[export.dataset]
    ends = session.deadline - _WRITING_SECONDS
    reading = PartReading(session, stored, part, reader, ends)
    content = encoder(export.format)(reader.columns, reading.batches(), spreadsheet_safe=stored.spreadsheet_safe)
    name = f"part-{part.number:05}-{content.sha256[:16]}.{_SUFFIXES[export.format]}"
    write_once(export_keys.object_name(session.tenant, export.id, name), content)
    written = Written(name, reading.rows, len(content.data), content.sha256, reading.sums)
    session.retry_on_conflict(lambda: _mark(session, part, written, reading))


def _begun(session: Session, export_id: str) -> StoredExport:
    """Return an export that is running from now on. Raises _Over if it is finished."""

    def attempt() -> StoredExport:
        stored = _open(session, export_id)
        if stored.export.status is ExportStatus.RUNNING:
            return stored
        running = replace(stored, export=stored.export.changed(session.at, status=ExportStatus.RUNNING))
        tx = session.transaction()
        row, seen = running.to_row(session.tenant), stored.export.version
        tx.put("begin the export", row, condition="version = :seen", raises=Stale(), seen=seen)
        session.commit_events(tx)
        return running

    return session.retry_on_conflict(attempt)


def _mark(session: Session, part: Part, written: Written, reading: PartReading) -> None:
    """Mark a part as done, count it, and add those that follow. Raises _Over, Stale."""
    stored, tenant = _open(session, part.export_id), session.tenant
    before = stored.export.progress
    rest = part.rest(reading.until, before.parts + 1) if reading.more else []
    progress = Progress(
        parts_done=before.parts_done + 1,
        parts=before.parts + len(rest),
        rows=before.rows + written.rows,
        bytes=before.bytes + written.size,
    )
    after = stored.progressed(stored.export.changed(session.at, progress=progress))
    row, tx = after.to_row(tenant), session.transaction()
    done = replace(part, written=written).to_row(tenant, row["ttl"])
    tx.put("finish the part", done, condition="attribute_not_exists(written)", raises=_Over())
    tx.put("count the part", row, condition="version = :seen", raises=Stale(), seen=stored.export.version)
    for each in rest:
        tx.create("add a part", each.to_row(tenant, row["ttl"]), raises=id_exists)
    session.commit_events(tx)


def _finish(session: Session, export_id: str) -> str:
    """Finish an export whose parts are all done. Raises _Over, Contention."""

    def attempt() -> str:
        stored = _open(session, export_id)
        progress = stored.export.progress
        if progress.parts_done < progress.parts:
            return "part written"
        manifest = _manifest(stored.export, parts(session, export_id))
        write_once(export_keys.object_name(session.tenant, export_id, MANIFEST), manifest)
        end(session, stored, ExportStatus.SUCCEEDED, manifest=(manifest.sha256, len(manifest.data)))
        return "export finished"

    return session.retry_on_conflict(attempt)


def _open(session: Session, export_id: str) -> StoredExport:
    row = session.table.get(export_keys.export(session.tenant, export_id))
    stored = StoredExport.from_row(row) if row else None
    if stored is None or not stored.export.is_open:
        raise _Over
    return stored


def _listed(written: Written) -> dict[str, Any]:
    shown = asdict(written)
    return {"bytes": shown.pop("size")} | shown


def _key(session: Session, part: Part) -> Key:
    return export_keys.part(session.tenant, part.export_id, part.number)


def _manifest(export: ExportSummary, written: list[Part]) -> Content:
    """Return the manifest: what was exported, and each file. It is the same for every writer."""
    shown = export.model_dump(mode="json", include=_SHOWN)
    shown |= {"rows": export.progress.rows, "bytes": export.progress.bytes}
    shown["files"] = [_listed(part.written) for part in written if part.written]
    return Content(json.dumps(shown, indent=1).encode(), "application/json")
