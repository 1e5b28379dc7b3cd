"""Mistakes to be found: conditions left out, effects changed, and defects that there were, put back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import pytest

from domain.common.errors import PreconditionFailed
from domain.common.pages import Page
from domain.identity.email import canonical_email
from handlers.registry import ROOT
from repositories.dynamodb import keys, transaction
from repositories.dynamodb.iam_actions import used_by
from repositories.identity import invitations, user_pool, users
from repositories.identity.user_rows import user_from_row
from repositories.items import repository as items
from repositories.items import rows as item_rows
from repositories.ledger import chains, trial_balance
from repositories.ledger import repository as ledger
from repositories.ledger import rows as ledger_rows
from repositories.payments import postings
from tests.effects import EFFECTS, Mistake
from tests.mutants import leave_out

_CONDITION = re.compile(r"^\| ([^|]+) \| `([^|]+)` \| [^|]+ \|$", re.MULTILINE)


def _set(owner: Any, name: str, value: Any) -> Mistake:
    return lambda patch: patch.setattr(owner, name, value)


def _method(owner: Any, name: str, method: Any) -> Mistake:
    """Replace a repository method, which declares IAM actions."""
    vars(method)["iam_actions"] = used_by(getattr(owner, name))
    return _set(owner, name, method)


def _all(*mistakes: Mistake) -> Mistake:
    def make(patch: pytest.MonkeyPatch) -> None:
        for mistake in mistakes:
            mistake(patch)

    return make


def _first_of_any(self: chains.Chains, account_id: str) -> Any:
    rows = self._last(account_id, 0, 2)
    if not rows:
        return None
    return ledger_rows.head_of(ledger_rows.account_from_row(rows[0]), 0, rows[1] if len(rows) > 1 else None)


def _only_the_row(self: ledger.LedgerRepository, transaction_id: str, *_heads: Any) -> None:
    if "reversed_by" in self._row(transaction_id)["head"]:
        raise transaction.Stale


def _removed_by_name(self: users.UserRepository, user_id: str) -> None:
    """Pool first, and by name, as it was."""

    def erase() -> None:
        row = self._row(user_id)
        if row["canonical_email"]:
            self.user_pool.remove(user_pool.username(self.session.tenant, row["canonical_email"]))
            self._erase(user_id)

    if user_id != self.caller.subject:
        self.session.retry_on_conflict(erase)


def _with_empty_ones(self: trial_balance.TrialBalances, instant: Any) -> Any:
    register = self.session.table.whole_partition(keys.account_code(self.session.tenant, "").pk)
    reader = chains.Chains(self.session.table, self.session.tenant)
    return [[reader.at(head, instant) for head in reader.all(row["account_id"])] for row in register]


def _whoever_the_marker_names(self: users.UserRepository, email: str, _page: Any) -> Any:
    marker = self.session.table.get(keys.email(self.session.tenant, canonical_email(email)))
    row = marker and self.session.table.get(keys.user(self.session.tenant, marker.get("user_id", "")))
    return Page(items=[user_from_row(row)] if row else [], next_cursor=None)


_UNJOINED = _set(item_rows.StoredItem, "from_rows", staticmethod(lambda rows: item_rows.stored_item(rows[0], rows[1:])))

DEFECTS: dict[str, tuple[str, Mistake]] = {
    "a count on half a split loses units": (
        "stock",
        _all(_UNJOINED, partial(leave_out, step="open a shard", part="attribute_not_exists(pk)")),
    ),
    "a count is refused on half a split": (
        "stock",
        _all(_UNJOINED, EFFECTS["a refusal of a sum rests on several moments"]),
    ),
    "an old version passes on half an edit": ("stock", _UNJOINED),
    "two owners oust each other": ("users", EFFECTS["whoever lost the right may still use it"]),
    "a stalled erasure takes the name of who has it now": (
        "users",
        _method(users.UserRepository, "delete", _removed_by_name),
    ),
    "an invitation takes the name of a sign-up": (
        "users",
        _all(
            EFFECTS["an address is not claimed before a name is taken away"],
            _set(invitations, "_bar", lambda *_: None),
        ),
    ),
    "an erased user rises again": (
        "users",
        partial(leave_out, step="add the user", part="attribute_not_exists(pk) OR claimed_until < :now"),
    ),
    "a name that is gone is an error": ("users", _set(user_pool, "suppress", lambda *_: nullcontext())),
    "a search shows who was erased": ("users", _method(users.UserRepository, "by_email", _whoever_the_marker_names)),
    "a void token gets replays": ("users", EFFECTS["void tokens get replays"]),
    "a shop's first payment is an error": ("orders", _set(chains.Chains, "first", _first_of_any)),
    "a refund before its accounts are visible is a mistake": (
        "orders",
        lambda patch: patch.setattr(postings, "len", lambda _: 0, raising=False),
    ),
    "any version is refused after an edit between": ("stock", _set(items, "Stale", PreconditionFailed)),
    "a trial balance differs": ("all", EFFECTS["a trial balance need not balance"]),
    "an account that is being opened is an error": (
        "all",
        _set(trial_balance.TrialBalances, "_collected", _with_empty_ones),
    ),
    "what is final changes": (
        "books",
        EFFECTS["a chain that went past an instant makes it final, whatever the account"],
    ),
    "a reversal is refused for funds": ("books", EFFECTS["a refusal to reverse rests on two moments"]),
    "a reversal is refused for funds, though its row was read again": (
        "books",
        _set(ledger.LedgerRepository, "_require_standing", _only_the_row),
    ),
    "a balance between two entries is shown": ("books", EFFECTS["a half visible entry is an end"]),
    "a refusal is told for the wrong reason": (
        "orders",
        EFFECTS["a failed condition is told behind a step of which nothing is known"],
    ),
}
"""Defects that there were: the theme in which they are looked for, and how they are put back."""


def _conditions() -> dict[str, Mistake]:
    listed = _CONDITION.findall((ROOT / "docs" / "mutants.md").read_text())
    return {f"{step}: {part}": partial(leave_out, step=step, part=part) for step, part in listed}


BREAKS: dict[str, Mistake] = {name: mistake for name, (_, mistake) in DEFECTS.items()} | EFFECTS | _conditions()


@contextmanager
def broken(name: str | None) -> Iterator[None]:
    """Let code within run with a mistake, if one is named."""
    with pytest.MonkeyPatch.context() as patch:
        if name:
            BREAKS[name](patch)
        yield
