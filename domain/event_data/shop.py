"""Data of events of tenants, users, items, discounts, the ledger, exports and webhook endpoints."""

from domain.event_data.base import EventData
from domain.exports import Dataset, ExportFormat
from domain.identity.permissions import Role


class TenantCreated(EventData):
    """A tenant was added."""


class TenantChanged(EventData):
    """A tenant's name, currencies or settings were changed."""


class UserCreated(EventData):
    """A user was added."""

    role: Role


class UserChanged(UserCreated):
    """A user's profile or role was changed."""


class UserDeleted(UserCreated):
    """A user was erased."""


class ItemCreated(EventData):
    """An item was added."""


class ItemChanged(EventData):
    """An item's fields were changed."""


class ItemArchived(EventData):
    """An item was archived."""


class StockAdjusted(EventData):
    """Units of an item were counted in or out. `on_hand` is the number of units afterwards."""

    delta: int
    reason: str
    on_hand: int


class StockSplit(EventData):
    """An item's available units were spread over a number of buckets."""

    buckets: int


class DiscountCreated(EventData):
    """A discount was added."""


class DiscountChanged(EventData):
    """A discount's value or conditions were changed."""


class DiscountArchived(EventData):
    """A discount was archived."""


class AccountOpened(EventData):
    """A ledger account was opened."""


class AccountStriped(EventData):
    """Entries of an account are spread over a number of stripes."""

    stripes: int


class AccountClosed(EventData):
    """A ledger account was closed."""


class TransactionPosted(EventData):
    """A ledger transaction was posted."""


class TransactionReversed(EventData):
    """A ledger transaction was reversed by another one."""

    reversed_by: str


class ExportData(EventData):
    """What is exported, and in which format."""

    dataset: Dataset
    format: ExportFormat


class ExportCreated(ExportData):
    """An export was asked for."""


class ExportSucceeded(ExportData):
    """The files of an export can be downloaded."""


class ExportFailed(ExportData):
    """An export has failed."""


class ExportCancelled(ExportData):
    """An export was cancelled."""


class WebhookCreated(EventData):
    """A webhook endpoint was added."""


class WebhookChanged(EventData):
    """A webhook endpoint was changed."""


class WebhookSecretRotated(EventData):
    """A webhook endpoint got a new secret."""


class WebhookDisabled(EventData):
    """A webhook endpoint was disabled, as deliveries to it failed."""

    reason: str


class WebhookDeleted(EventData):
    """A webhook endpoint was deleted."""


class WebhookTest(EventData):
    """A test was sent to a webhook endpoint. It is sent to that endpoint only, and is not in the feed."""
