"""Discounts and their codes."""

from dataclasses import dataclass
from typing import Any

from domain.common.errors import Flaw, InvalidState, NotFound, PreconditionFailed
from domain.common.events import DomainEvent
from domain.common.ids import is_id
from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.common.pages import Page, PageRequest
from domain.common.versions import Versions
from domain.discounts import Discount, DiscountFields, DiscountPatch, DiscountStatus, NewDiscount
from repositories.discounts.rows import COLLECTION, discount_id_of, money_from
from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.keys import Position
from repositories.dynamodb.session import Session, retry_on_conflict
from repositories.dynamodb.transaction import Raises, Stale
from repositories.identity.traded_currencies import require_currency
from repositories.paging.lists import Listing, whole_rows


@dataclass(frozen=True, slots=True)
class DiscountRepository:
    """The discounts of the caller's tenant."""

    session: Session

    @uses(IamAction.GET, IamAction.PUT)
    @retry_on_conflict
    def create(self, new: NewDiscount) -> Discount:
        """Add a discount. Raises InvalidState if its code is taken, ValidationFailed, Contention."""
        self._require_currencies(new)
        discount = Discount.new(discount_id_of(self.session.tenant, new.code), new, self.session.at)
        tx = self.session.transaction()
        tx.create("add the discount", _to_row(self.session.tenant, discount), raises=_taken(new.code))
        self.session.commit(tx, discount, DomainEvent("DiscountCreated", discount.id, 1))
        return discount

    @uses(IamAction.GET)
    @retry_on_conflict
    def get(self, discount_id: str) -> Discount:
        """Return a discount. Raises NotFound, Contention."""
        return _from_row(self._row(discount_id))

    @uses(IamAction.LIST, IamAction.BATCH_GET)
    def page(self, page: PageRequest) -> Page[Discount]:
        """Return a page of the discounts. Raises CursorInvalid."""
        rows, cursor = whole_rows(Listing.of_all(self.session, COLLECTION), page)
        return Page(items=[_from_row(row) for row in rows], next_cursor=cursor)

    @uses(IamAction.GET, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def change(self, discount_id: str, patch: DiscountPatch, expected: frozenset[int] | None) -> Discount:
        """Change a discount if a version in `expected` has been current since its last edit; None accepts any.

        Raises NotFound, PreconditionFailed, InvalidState, ValidationFailed, Contention.
        """
        row = self._row(discount_id)
        before = _from_row(row)
        _versions(row).require_fresh(expected)
        fields = before.patched(patch)
        self._require_currencies(fields)
        return self._edit(row, "DiscountChanged", expected, **dict(fields))

    @uses(IamAction.GET, IamAction.PUT, IamAction.UPDATE)
    @retry_on_conflict
    def archive(self, discount_id: str, expected: frozenset[int] | None) -> None:
        """Archive a discount, if it is active. Raises NotFound, PreconditionFailed, Contention."""
        row = self._row(discount_id)
        _versions(row).require_fresh(expected)
        if _from_row(row).status is DiscountStatus.ACTIVE:
            self._edit(row, "DiscountArchived", expected, status=DiscountStatus.ARCHIVED)

    def _require_currencies(self, fields: DiscountFields) -> None:
        for name in ("amount", "min_subtotal"):
            money = getattr(fields, name)
            if money:
                require_currency(self.session, money.currency, f"/{name}/currency")

    def _edit(self, row: Row, event: str, expected: frozenset[int] | None, **changes: Any) -> Discount:
        """Commit an edit, while orders go on counting uses."""
        versions = _versions(row).edited()
        before = _from_row(row)
        update = changes | {"version": versions.shown, "updated_at": max(self.session.at, before.updated_at)}
        edited = before.model_copy(update=update)
        tx = self.session.transaction()
        tx.update(
            "edit the discount",
            keys.discount(self.session.tenant, edited.id),
            "SET head = :head, edits = :edits, changes_at_edit = changes",
            condition="edits = :seen AND changes = :changes",
            raises=_overtaken(versions.edits - 1, expected),
            head=_head(edited),
            edits=versions.edits,
            seen=versions.edits - 1,
            changes=versions.changes,
        )
        self.session.commit(tx, edited, DomainEvent(event, edited.id, versions.edits, at=edited.updated_at))
        return edited

    def _row(self, discount_id: str) -> Row:
        known = is_id("discount", discount_id)
        row = self.session.find(keys.discount(self.session.tenant, discount_id)) if known else None
        if row is None:
            raise NotFound("discount")
        return row


def _overtaken(edits: int, expected: frozenset[int] | None) -> Raises:
    """Return the error of an edit of a discount that was edited, or used, since it was read."""

    def error(row: Row | None) -> Exception:
        edited = row is None or row["edits"] != edits
        return PreconditionFailed() if edited and expected is not None else Stale()

    return error


def _versions(row: Row) -> Versions:
    return Versions(row["edits"], row["changes"], row["changes_at_edit"])


def _head(discount: Discount) -> Row:
    return {
        "id": discount.id,
        "code": discount.code,
        "percent": discount.percent,
        "amount": _pair(discount.amount),
        "min_subtotal": _pair(discount.min_subtotal),
        "starts_at": discount.starts_at and to_rfc3339(discount.starts_at),
        "ends_at": discount.ends_at and to_rfc3339(discount.ends_at),
        "max_uses": discount.max_uses,
        "max_uses_per_customer": discount.max_uses_per_customer,
        "status": discount.status.value,
        "created_at": to_rfc3339(discount.created_at),
        "updated_at": to_rfc3339(discount.updated_at),
    }


def _pair(money: Money | None) -> list[Any] | None:
    return [money.minor, money.currency] if money else None


def _to_row(tenant: str, discount: Discount) -> Row:
    at = Position(to_rfc3339(discount.created_at), discount.id)
    return new_row(
        keys.discount(tenant, discount.id),
        "discount",
        head=_head(discount),
        uses=0,
        edits=1,
        changes=0,
        changes_at_edit=0,
        **keys.listed(tenant, COLLECTION, at),
    )


def _from_row(row: Row) -> Discount:
    fields = row["head"] | {name: money_from(row["head"][name]) for name in ("amount", "min_subtotal")}
    return Discount(**fields, uses=row["uses"], version=_versions(row).shown)


def _taken(code: str) -> InvalidState:
    return InvalidState(
        "Another discount has this code.", Flaw("/code", "CODE_TAKEN", f"{code} is another discount's.")
    )
