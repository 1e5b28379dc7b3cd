"""Versions of resources that are edited by people and changed by sales."""

from dataclasses import dataclass

from domain.common.errors import PreconditionFailed


@dataclass(frozen=True, slots=True)
class Versions:
    """Counters from which the version of an item or a discount is computed: edits, and changes by orders.

    Orders count their changes apart from edits. Clients see the sum as the version, which changes whenever the resource
    that they see changes.
    """

    edits: int
    changes: int
    changes_at_edit: int

    @property
    def shown(self) -> int:
        """Version of the resource, as shown in its ETag."""
        return self.edits + self.changes

    def edited(self) -> "Versions":
        """Return the versions after one more edit."""
        return Versions(self.edits + 1, self.changes, self.changes)

    def require_fresh(self, expected: frozenset[int] | None) -> None:
        """Raise PreconditionFailed unless a version in `expected` was current since the last edit; None accepts any.

        Changes by orders since the last edit are ignored. Otherwise an item that sells fast could never be edited.
        """
        fresh = range(self.edits + self.changes_at_edit, self.shown + 1)
        if expected is not None and not any(version in fresh for version in expected):
            raise PreconditionFailed
