"""Disputes and payouts, as owners and staff see them."""

from dataclasses import dataclass

from domain.common.model import Model
from domain.common.pages import Page, PageRequest
from domain.payments.settlement import Dispute, Payout
from repositories.dynamodb.iam_actions import IamAction, uses
from repositories.dynamodb.session import Session
from repositories.paging.lists import Listing, whole_rows
from repositories.payments.accounting.rows import DISPUTES, PAYOUTS


@dataclass(frozen=True, slots=True)
class SettlementReader:
    """The disputes and payouts of the caller's tenant."""

    session: Session

    @uses(IamAction.LIST, IamAction.BATCH_GET)
    def disputes(self, page: PageRequest) -> Page[Dispute]:
        """Return a page of the disputes, newest first. Raises CursorInvalid."""
        return self._page(DISPUTES, Dispute, page)

    @uses(IamAction.LIST, IamAction.BATCH_GET)
    def payouts(self, page: PageRequest) -> Page[Payout]:
        """Return a page of the payouts, newest first. Raises CursorInvalid."""
        return self._page(PAYOUTS, Payout, page)

    def _page[M: Model](self, collection: str, model: type[M], page: PageRequest) -> Page[M]:
        rows, cursor = whole_rows(Listing.of_all(self.session, collection), page)
        return Page(items=[model.model_validate(row["shown"]) for row in rows], next_cursor=cursor)
