"""A model of DynamoDB's documented isolation, for the operations that Tradepost uses.

Rows are kept twice: as they are serialized, and as they are visible. A transaction is decided at one moment; its rows
become visible one after the other, and until then each of them is held. Sources, all of the Amazon DynamoDB developer
guide:

- "Isolation levels for DynamoDB transactions": PutItem and TransactGetItems are serializable with transactions. Query,
  Scan and BatchGetItem are read-committed: row after row, so that a page may show half of a transaction. GetItem
  is serializable on its own, but two of them need not be ordered as they were asked: one may see a transaction and the
  next one not (Idziorek et al., "Distributed Transactions at Scale in Amazon DynamoDB", USENIX ATC 2023).
- "Transaction conflict handling": a write to a row that a transaction holds is refused (TransactionConflictException),
  a transaction that meets one is cancelled with TransactionConflict among its reasons, and so is TransactGetItems.
- "Amazon DynamoDB Transactions: How it works": reasons in the order of the actions, with ALL_OLD rows; a client token
  makes a transaction happen once for ten minutes; 100 actions, one an item.
- "Using Global Secondary Indexes": eventually consistent, in order by item.
- "Time to Live": an expired row may stay for days.
"""

import copy
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repositories.dynamodb.codec import Row
from tests.simulation.world.expressions import InvalidExpressionError, changed, holds, key_range
from tests.simulation.world.scheduler import BEGINNING, Scheduler

type Key = tuple[str, str]
type Rows = dict[Key, Row]

MAX_ACTIONS = 100
TOKEN_SECONDS = 600
_PROJECTED = {"gsi1": ("head",), "gsi2": ("head",), "gsi3": ()}


@dataclass(frozen=True, slots=True)
class Profile:
    """How a universe's table behaves, in seconds."""

    latency: float = 0.004
    commit_spread: float = 0.01
    """How long rows of a transaction become visible after each other."""
    slow_commits: float = 0.05
    """The share of transactions whose last rows take a hundred times as long."""
    index_lag: float = 0.1
    long_lags: float = 0.01
    """The share of rows that an index shows up to 100 seconds late."""
    unprocessed: float = 0.02
    """The share of keys that a batch leaves unread."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a transaction."""

    verb: str
    key: Key
    row: Row | None
    update: str
    condition: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an action cancelled its transaction, or `None`."""

    code: str = "None"
    row: Row | None = None


@dataclass(slots=True)
class Commit:
    """A transaction that was decided: which rows it changed, and when all of them were visible."""

    before: dict[Key, Row | None]
    after: dict[Key, Row | None]
    decided: float
    complete: float = 0.0


@dataclass(slots=True)
class Model:
    """The table."""

    scheduler: Scheduler
    profile: Profile
    rows: Rows = field(default_factory=dict)
    """As serialized."""
    watch: Callable[[Commit], None] = lambda _commit: None
    """Called at each decision, with the rows as they are after it."""
    _visible: dict[str, dict[str, Row]] = field(default_factory=lambda: defaultdict(dict))
    _indexes: dict[str, dict[str, dict[tuple[str, str, str], Row]]] = field(
        default_factory=lambda: {name: defaultdict(dict) for name in _PROJECTED}
    )
    _held: dict[Key, int] = field(default_factory=dict)
    _shown_at: dict[tuple[str, Key], float] = field(default_factory=dict)
    _tokens: dict[str, tuple[float, str, Commit]] = field(default_factory=dict)

    def get(self, key: Key) -> Row | None:
        """Return a row as it is visible: whole, and perhaps before another row of the same transaction."""
        return copy.deepcopy(self._visible[key[0]].get(key[1]))

    def query(self, condition: str, values: Mapping[str, Any], index: str | None, *, backwards: bool) -> list[Row]:
        """Return what is visible in a partition, or what an index shows, in order."""
        pk, within = key_range(condition, values)
        if index:
            entries = self._indexes[index][pk]
            found = [(key, row) for key, row in entries.items() if within(key[0])]
        else:
            found = [((sk, "", ""), row) for sk, row in self._visible[pk].items() if within(sk)]
        return [copy.deepcopy(row) for _, row in sorted(found, key=lambda each: each[0], reverse=backwards)]

    def snapshot(self, keys: Sequence[Key]) -> list[Row | None] | list[Reason]:
        """Return rows as of one moment, or the reasons why not."""
        if any(key in self._held for key in keys):
            return [Reason("TransactionConflict" if key in self._held else "None") for key in keys]
        return [copy.deepcopy(self.rows.get(key)) for key in keys]

    def write(self, action: Action) -> Reason:
        """Put or update one row if its condition holds."""
        if action.key in self._held:
            return Reason("TransactionConflict")
        before = self.rows.get(action.key)
        if action.condition and not holds(action.condition, before, action.values):
            return Reason("ConditionalCheckFailed", copy.deepcopy(before))
        after = _after(action, before)
        self._apply(Commit({action.key: before}, {action.key: after}, self.scheduler.time), at_once=True)
        return Reason()

    def transact(self, actions: Sequence[Action], token: str, content: str) -> Commit | list[Reason]:
        """Carry out all actions or none; a commit that is there already by its token has no second effect."""
        if len(actions) > MAX_ACTIONS or len({action.key for action in actions}) != len(actions):
            raise InvalidExpressionError("too many actions, or two on one row")
        known = self._tokens.get(token)
        if known and known[0] > self.scheduler.time - TOKEN_SECONDS:
            if known[1] != content:
                raise InvalidExpressionError("IdempotentParameterMismatchException")
            return known[2]
        reasons = [self._reason(action) for action in actions]
        if any(reason.code != "None" for reason in reasons):
            return reasons
        writes = [action for action in actions if action.verb != "ConditionCheck"]
        before = {action.key: self.rows.get(action.key) for action in writes}
        after = {action.key: _after(action, before[action.key]) for action in writes}
        commit = Commit(before, after, self.scheduler.time)
        self._tokens[token] = (self.scheduler.time, content, commit)
        self._apply(commit, at_once=False)
        return commit

    def expire(self) -> None:
        """Remove rows whose time to live is long over, as DynamoDB does at some time."""
        now = self.scheduler.time
        for key, row in list(self.rows.items()):
            if row.get("ttl", float("inf")) < BEGINNING.timestamp() + now - 1 and key not in self._held:
                self._apply(Commit({key: row}, {key: None}, now), at_once=True)

    def _reason(self, action: Action) -> Reason:
        if action.key in self._held:
            return Reason("TransactionConflict")
        row = self.rows.get(action.key)
        if action.condition and not holds(action.condition, row, action.values):
            return Reason("ConditionalCheckFailed", copy.deepcopy(row))
        return Reason()

    def _apply(self, commit: Commit, *, at_once: bool) -> None:
        scheduler, chance = self.scheduler, self.scheduler.chance
        slow = 100 if chance.random() < self.profile.slow_commits else 1
        commit.complete = scheduler.time
        for key, row in commit.after.items():
            self._set(self.rows, key, row)
            if at_once:
                self._show(key, row)
                continue
            delay = chance.random() * self.profile.commit_spread * (slow if chance.random() < 0.5 else 1)
            commit.complete = max(commit.complete, scheduler.time + delay)
            self._held[key] = self._held.get(key, 0) + 1
            scheduler.at(delay, lambda key=key, row=row: self._release(key, row))  # type: ignore[misc]
        self.watch(commit)

    def _release(self, key: Key, row: Row | None) -> None:
        del self._held[key]
        self._show(key, row)

    def _set(self, rows: Rows, key: Key, row: Row | None) -> None:
        if row is None:
            rows.pop(key, None)
        else:
            rows[key] = row

    def _show(self, key: Key, row: Row | None) -> None:
        before = self._visible[key[0]].pop(key[1], None)
        if row is not None:
            self._visible[key[0]][key[1]] = row
        chance = self.scheduler.chance
        for index in _PROJECTED:
            if not ({f"{index}pk"} & ((before or {}).keys() | (row or {}).keys())):
                continue
            lag = chance.random() * (100 if chance.random() < self.profile.long_lags else self.profile.index_lag)
            shown = max(self.scheduler.time + lag, self._shown_at.get((index, key), 0.0))
            self._shown_at[index, key] = shown
            self.scheduler.at(
                shown - self.scheduler.time,
                lambda index=index, before=before, row=row: self._index(index, key, before, row),  # type: ignore[misc]
            )

    def _index(self, index: str, key: Key, before: Row | None, row: Row | None) -> None:
        for old in (before, row):
            if old and f"{index}pk" in old:
                self._indexes[index][old[f"{index}pk"]].pop((old[f"{index}sk"], *key), None)
        if row and f"{index}pk" in row:
            names = ("pk", "sk", f"{index}pk", f"{index}sk", *_PROJECTED[index])
            entry = {name: row[name] for name in names if name in row}
            self._indexes[index][row[f"{index}pk"]][row[f"{index}sk"], *key] = entry


def _after(action: Action, before: Row | None) -> Row | None:
    if action.verb == "Delete":
        return None
    if action.verb == "Put":
        return action.row
    return changed(action.update, before or {"pk": action.key[0], "sk": action.key[1]}, action.values)
