"""Exports: data of a tenant as files, for analysts and finance."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Self, get_args

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from domain.bookings.status import BookingStatus
from domain.common.errors import InvalidState
from domain.common.events import FINAL_AFTER
from domain.common.model import Model, SingleLine, Timestamp
from domain.common.times import DateOrMoment
from domain.items import ItemStatus
from domain.orders.status import OrderStatus
from domain.payments.payment import PaymentState

KEPT = timedelta(days=7)
"""Time for which files can be downloaded."""
LINK_LIFETIME = timedelta(minutes=15)
"""Time for which a download URL works."""
MAX_STALLS = 8
"""Number of times in a row that an export may be found without progress before it fails."""


class Dataset(StrEnum):
    """What is exported."""

    ORDERS = "orders"
    ORDER_LINES = "order_lines"
    ITEMS = "items"
    PAYMENTS = "payments"
    LEDGER_ENTRIES = "ledger_entries"
    BOOKINGS = "bookings"


class ExportFormat(StrEnum):
    """Format of files: CSV (RFC 4180), JSON Lines compressed by gzip, or Parquet."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


class ExportStatus(StrEnum):
    """Status of an export."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({ExportStatus.QUEUED, ExportStatus.RUNNING})
"""Statuses of exports that are not finished."""
STATUSES: dict[Dataset, frozenset[str]] = {
    Dataset.ORDERS: frozenset(OrderStatus),
    Dataset.ORDER_LINES: frozenset(OrderStatus),
    Dataset.ITEMS: frozenset(ItemStatus),
    Dataset.PAYMENTS: frozenset(get_args(PaymentState)),
    Dataset.LEDGER_ENTRIES: frozenset(),
    Dataset.BOOKINGS: frozenset(BookingStatus),
}
"""Statuses by which the rows of a dataset can be chosen: of the order for its lines."""


class NewExport(Model):
    """An export of what was created from `from` to before `to`; without bounds, of all there is at the request."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    dataset: Dataset
    format: ExportFormat
    start: DateOrMoment | None = Field(None, alias="from")
    end: DateOrMoment | None = Field(None, alias="to")
    status: Annotated[SingleLine, Field(max_length=40, examples=["paid"])] | None = None
    """Only rows with this status."""
    spreadsheet_safe: bool = True
    """Put an apostrophe before text in CSV that a spreadsheet would take for a formula."""

    @field_validator("status")
    @classmethod
    def _is_of_dataset(cls, status: str | None, info: ValidationInfo) -> str | None:
        dataset = info.data.get("dataset")
        if status is None or dataset is None or status in STATUSES[dataset]:
            return status
        raise PydanticCustomError("status_unknown", "{dataset} have no such status", {"dataset": dataset.value})

    @field_validator("end")
    @classmethod
    def _is_not_reversed(cls, end: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("start")
        if end and start and end < start:
            raise PydanticCustomError("range_reversed", "`to` must not be before `from`")
        return end


class Progress(Model):
    """How far an export is: parts that are known so far, those that are done, and their rows and bytes."""

    parts_done: int
    parts: int
    rows: int
    bytes: int


class ExportFile(Model):
    """A file of an export. `url` downloads it without further authentication for 15 minutes."""

    name: str
    url: str
    rows: int
    bytes: int
    sha256: str
    """SHA-256 of the file, in hexadecimal."""


class Manifest(Model):
    """A JSON file with rows, bytes, checksum and sums by currency of each file."""

    url: str
    bytes: int
    sha256: str


class ExportSummary(Model):
    """An export as shown in lists."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    id: str
    dataset: Dataset
    format: ExportFormat
    start: Timestamp | None = Field(alias="from")
    end: Timestamp = Field(alias="to")
    """Only what was created before is exported: the time of the request, unless an earlier one was asked for."""
    only_status: str | None
    """Status of the rows that are exported; null: all."""
    status: ExportStatus
    progress: Progress
    expires_at: Timestamp | None
    """Time from which on files cannot be downloaded any more; null while there are none."""
    error: str | None
    """Why it failed."""
    version: int
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def new(cls, export_id: str, new: NewExport, at: datetime) -> Self:
        """Return the first version of an export."""
        return cls(
            id=export_id,
            dataset=new.dataset,
            format=new.format,
            start=new.start,
            end=min(new.end, at) if new.end else at,
            only_status=new.status,
            status=ExportStatus.QUEUED,
            progress=Progress(parts_done=0, parts=1, rows=0, bytes=0),
            expires_at=None,
            error=None,
            version=1,
            created_at=at,
            updated_at=at,
        )

    @property
    def is_open(self) -> bool:
        """Whether it is not finished."""
        return self.status in OPEN

    @property
    def begins_at(self) -> datetime:
        """Time from which on nothing can be added to what is exported: requests that ran at its end have ended."""
        return max(self.end + FINAL_AFTER, self.created_at)

    def changed(self, at: datetime, **changes: object) -> Self:
        """Return the next version."""
        update = changes | {"version": self.version + 1, "updated_at": max(at, self.updated_at)}
        return self.model_copy(update=update)

    def ended(self, status: ExportStatus, at: datetime, error: str | None = None) -> Self:
        """Return it finished. Raises InvalidState if it is already."""
        if not self.is_open:
            raise InvalidState(f"The export is {self.status} already.")
        expires_at = self.created_at + KEPT if status is ExportStatus.SUCCEEDED else None
        return self.changed(at, status=status, error=error, expires_at=expires_at)


class Export(ExportSummary):
    """An export. Once it has succeeded, its files can be downloaded for seven days."""

    files: list[ExportFile]
    manifest: Manifest | None
