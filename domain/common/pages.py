"""Lists, a page at a time."""

from dataclasses import dataclass

from domain.common.model import Model


class Page[T](Model):
    """Some entries, newest first, and the cursor of the next page, or null at the end."""

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page a client asks for: at most `limit` entries, after `cursor`."""

    limit: int
    cursor: str | None = None
