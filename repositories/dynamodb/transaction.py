"""DynamoDB write transactions as lists of named steps, each with the error to raise if its condition fails."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.common.environment import monotonic, sleep, unique
from domain.common.errors import Contention, DomainError, Unavailable
from domain.common.events import DomainEvent
from repositories.aws.backoff import backoff_seconds
from repositories.aws.errors import THROTTLED
from repositories.dynamodb.codec import Row, decode, encode
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Table

ATTEMPTS = 8

type Raises = Exception | Callable[[Row | None], Exception]
"""Error to raise for a failed condition, or a function that returns it, given the existing row or None."""

_BUSY = frozenset({"TransactionConflict"})
_TRANSIENT = THROTTLED | _BUSY
_UNKNOWN = _TRANSIENT
"""Cancellation reasons that mean that the condition of a step was not evaluated."""
_NO_FAULT = frozenset({"None"})


@dataclass(frozen=True, slots=True)
class Step:
    """One action of a transaction, its name, and the error to raise if its condition fails."""

    name: str
    action: dict[str, Any]
    raises: Raises

    def error(self, reason: Mapping[str, Any]) -> Exception:
        """Return the error to raise for `reason`, which reports that the condition failed."""
        if isinstance(self.raises, Exception):
            return self.raises
        return self.raises(decode(reason["Item"]) if reason.get("Item") else None)


class TransactionRefusedError(Exception):
    """DynamoDB rejected the transaction as malformed, which is a bug."""


class Stale(Exception):
    """Conflict: rows have changed since they were read, or were read in the middle of a change. Read and try again."""


def require_absent(table: Table, keys: Iterable[Key]) -> None:
    """Raise Stale if a row that a read did not find exists, or is being written.

    Rows of one transaction may become visible one after the other, so that the id of a row can be known before the row
    is visible. A final "not found" therefore requires TransactGetItems, which is serializable.
    """
    wanted = list(keys)
    if wanted and table.snapshot(wanted) != []:
        raise Stale


def id_exists(_row: Row | None) -> Exception:
    """Return the error of creating a row under a new id that exists already."""
    return AssertionError("a new id exists already")


def _no_condition(_row: Row | None) -> Exception:
    return TransactionRefusedError("a step without a condition failed its condition")


def _at(key: Key) -> dict[str, Any]:
    return {"Key": encode(key._asdict())}


@dataclass(slots=True)
class WriteTransaction:
    """A DynamoDB transaction being built: up to 100 steps, of which all take effect or none.

    Each step takes the values of its expressions by name (`now=1` for `:now`); `raises` is the error to raise if its
    condition fails. Without a condition, the condition of another step must guarantee that the row may be written.
    """

    table: Table
    steps: list[Step] = field(default_factory=list)
    events: list[DomainEvent] = field(default_factory=list)
    """Events of other things that steps change, all at one time; they are committed with its own."""

    def create(self, name: str, row: Row, *, raises: Raises) -> None:
        """Add a put of a row that must not exist yet."""
        self.put(name, row, condition="attribute_not_exists(pk)", raises=raises)

    def create_first(self, name: str, row: Row, *, condition: str, raises: Raises, **values: Any) -> None:
        """Add a conditional put before all other steps, so that its error takes precedence over theirs."""
        self.put(name, row, condition=condition, raises=raises, **values)
        self.steps.insert(0, self.steps.pop())

    def put(self, name: str, row: Row, *, condition: str = "", raises: Raises | None = None, **values: Any) -> None:
        """Add a put, conditional if `condition` is set."""
        self._add(name, "Put", {"Item": encode(row)}, condition, raises, values)

    def update(
        self, name: str, key: Key, change: str, *, condition: str = "", raises: Raises | None = None, **values: Any
    ) -> None:
        """Add an update of the row at `key`; `change` is the update expression."""
        self._add(name, "Update", _at(key) | {"UpdateExpression": change}, condition, raises, values)

    def add(self, name: str, key: Key, kind: str, figures: Mapping[str, int], **values: Any) -> None:
        """Add an update that adds figures to those of the row at `key`, and sets values; it creates a missing row."""
        sets: dict[str, Any] = {"type": kind, "schema": 1} | values
        change = f"SET {', '.join(f'#{each} = :{each}' for each in sets)} "
        change += f"ADD {', '.join(f'#{each} :{each}' for each in figures)}"
        self._add(name, "Update", _at(key) | {"UpdateExpression": change}, "", None, sets | dict(figures))
        names = {f"#{each}": each for each in (*sets, *figures)}
        self.steps[-1].action["Update"]["ExpressionAttributeNames"] = names

    def check(self, name: str, key: Key, *, condition: str, raises: Raises, **values: Any) -> None:
        """Add a condition check of the row at `key`, which is not changed."""
        self._add(name, "ConditionCheck", _at(key), condition, raises, values)

    def delete(self, name: str, key: Key) -> None:
        """Add an unconditional delete of the row at `key`."""
        self._add(name, "Delete", _at(key), "", None, {})

    def delete_if(self, name: str, key: Key, *, condition: str, raises: Raises, **values: Any) -> None:
        """Add a conditional delete of the row at `key`."""
        self._add(name, "Delete", _at(key), condition, raises, values)

    def _add(
        self,
        name: str,
        verb: str,
        action: dict[str, Any],
        condition: str,
        raises: Raises | None,
        values: Mapping[str, Any],
    ) -> None:
        if bool(condition) != (raises is not None):
            raise ValueError(f"{name}: a condition and its error go together")
        action["TableName"] = self.table.name
        if condition:
            action |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        if values:
            action["ExpressionAttributeValues"] = encode({f":{key}": value for key, value in values.items()})
        self.steps.append(Step(name, {verb: action}, raises or _no_condition))

    def commit(self, deadline: float) -> None:
        """Commit all steps, or raise the error of the first failed condition, in which case nothing was written.

        Conflicts with other transactions are retried with full jitter until `deadline` (monotonic clock, seconds).
        Raises Contention (conflicts) or Unavailable (throttling) after the last retry.
        """
        if not self.steps:
            return
        for attempt in range(ATTEMPTS):
            reasons = self.table.transact([step.action for step in self.steps], str(unique()))
            if not reasons:
                return
            again = self._refused(reasons)
            wait = backoff_seconds(attempt)
            if attempt + 1 == ATTEMPTS or monotonic() + wait >= deadline:
                raise again
            sleep(wait)

    def _refused(self, reasons: Sequence[Mapping[str, Any]]) -> DomainError:
        """Raise the error of a cancelled transaction, or return the error to raise after the last retry.

        The first failed condition decides, as a retry cannot help. The exception is an earlier step with a conflict or
        throttling: its condition was not evaluated, and would take precedence.
        """
        codes = {reason["Code"] for reason in reasons} - _NO_FAULT
        for step, reason in zip(self.steps, reasons, strict=True):
            if reason["Code"] in _UNKNOWN:
                break
            if reason["Code"] == "ConditionalCheckFailed":
                raise step.error(reason)
        codes.discard("ConditionalCheckFailed")
        if codes and codes <= _TRANSIENT:
            return Unavailable() if codes & THROTTLED else Contention()
        failed = [
            f"{step.name}: {reason['Code']} {reason.get('Message', '')}"
            for step, reason in zip(self.steps, reasons, strict=True)
            if reason["Code"] not in _NO_FAULT
        ]
        raise TransactionRefusedError("; ".join(failed))
