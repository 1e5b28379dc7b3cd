"""Pages of lists."""

from dataclasses import dataclass

from domain.common.errors import CursorInvalid
from domain.common.model import Model


class Page[T](Model):
    """A page of a list, newest first. `next_cursor` is the cursor of the next page, or null on the last page."""

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Requested page: at most `limit` entries after `cursor`, or the first ones."""

    limit: int
    cursor: str | None = None

    def require_first(self) -> None:
        """Raise CursorInvalid if a later page is requested, for a list that has one page."""
        if self.cursor is not None:
            raise CursorInvalid
