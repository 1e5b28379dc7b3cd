"""Rows of exports and their parts.

An export that is not finished is on the work list. Each part that is done moves it on; one that is found there, because
it is overdue, has made no progress.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from domain.common.model import json_of, to_rfc3339
from domain.exports import ExportSummary, NewExport
from repositories.dynamodb import keys, work_keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import SHARDS, Position
from repositories.dynamodb.work_list import Work
from repositories.exports import keys as export_keys

OVERDUE_AFTER = timedelta(minutes=15)
"""Time without progress after which the sweep looks at an export."""
_KEPT = timedelta(days=30)
"""Time for which exports are listed."""


@dataclass(frozen=True, slots=True)
class StoredExport:
    """An export, and how often in a row it was found without progress."""

    export: ExportSummary
    spreadsheet_safe: bool
    stalls: int = 0
    manifest: tuple[str, int] | None = None
    """SHA-256 and size of the manifest, once it is written."""

    @classmethod
    def new(cls, export_id: str, new: NewExport, at: datetime) -> Self:
        """Return a new export."""
        return cls(ExportSummary.new(export_id, new, at), new.spreadsheet_safe)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the export of a row."""
        manifest = tuple(row["manifest"]) if "manifest" in row else None
        return cls(ExportSummary(**row["head"]), row["spreadsheet_safe"], row["stalls"], manifest)

    def to_row(self, tenant: str) -> Row:
        """Return its row."""
        export = self.export
        at = Position(to_rfc3339(export.created_at), export.id)
        optional = {"manifest": [*self.manifest]} if self.manifest else {}
        return new_row(
            export_keys.export(tenant, export.id),
            "export",
            head=json_of(export),
            version=export.version,
            spreadsheet_safe=self.spreadsheet_safe,
            stalls=self.stalls,
            ttl=int((export.created_at + _KEPT).timestamp()),
            **optional,
            **keys.listed(tenant, export_keys.COLLECTION, at),
            **(work_keys.due(Work.EXPORT, export.id, self.overdue_at) if export.is_open else {}),
        )

    @property
    def overdue_at(self) -> datetime:
        """Time at which it has made no progress for too long."""
        return max(self.export.updated_at, self.export.begins_at) + OVERDUE_AFTER

    def progressed(self, export: ExportSummary) -> Self:
        """Return it after some progress."""
        return replace(self, export=export, stalls=0)


@dataclass(frozen=True, slots=True)
class Written:
    """What a part has written: its file, rows, bytes, checksum, and sums of amounts by column and currency."""

    name: str
    rows: int
    size: int
    sha256: str
    sums: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an export: what follows a position in the list, in some shards of it."""

    export_id: str
    number: int
    after: str
    """Sort key in the list after which it begins."""
    shards: tuple[int, ...]
    begins_at: datetime
    written: Written | None = None
    """What it has written; None until it is done."""

    @classmethod
    def first(cls, export: ExportSummary) -> Self:
        """Return the first part of an export: it reads all shards."""
        return cls(export.id, 1, "", tuple(range(SHARDS)), export.begins_at)

    @classmethod
    def from_row(cls, row: Row) -> Self:
        """Return the part of a row."""
        written = Written(**row["written"]) if "written" in row else None
        begins_at = datetime.fromisoformat(row["begins_at"])
        return cls(
            export_keys.export_of(row["pk"]), row["number"], row["after"], tuple(row["shards"]), begins_at, written
        )

    def to_row(self, tenant: str, kept_until: int) -> Row:
        """Return its row; `kept_until` is the time to live of the export's row."""
        written = self.written
        optional: dict[str, Any] = {}
        if written:
            optional["written"] = {name: getattr(written, name) for name in Written.__slots__}
        return new_row(
            export_keys.part(tenant, self.export_id, self.number),
            "export_part",
            number=self.number,
            after=self.after,
            shards=[*self.shards],
            begins_at=to_rfc3339(self.begins_at),
            ttl=kept_until,
            **optional,
        )

    def rest(self, after: str, first_number: int) -> list["Part"]:
        """Return the parts that continue it after a position: one for each shard, so that they can run in parallel."""
        return [
            replace(self, number=first_number + n, after=after, shards=(shard,), written=None)
            for n, shard in enumerate(self.shards)
        ]
