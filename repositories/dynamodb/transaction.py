"""A transaction as a list of named steps, each with the error that its failed condition means."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.common.environment import monotonic, sleep, unique
from domain.common.errors import Contention, DomainError, PreconditionFailed, Unavailable
from repositories.aws.backoff import pause_before
from repositories.aws.errors import THROTTLED
from repositories.dynamodb.codec import Row, decode, encode
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Table

ATTEMPTS = 8

type Refusal = Callable[[Row | None], Exception]
"""Makes the error of a failed condition from the row that stood in the way."""

_BUSY = frozenset({"TransactionConflict"})
_TRANSIENT = THROTTLED | _BUSY
_UNKNOWN = _TRANSIENT
"""Reasons of a step that say nothing of its condition."""
_NO_FAULT = frozenset({"None"})


@dataclass(frozen=True, slots=True)
class Step:
    """One action, what it is for, and what its failed condition means."""

    name: str
    action: dict[str, Any]
    refusal: Refusal


class TransactionRefusedError(Exception):
    """DynamoDB called the transaction malformed: a bug of ours."""


class Stale(Exception):
    """A condition on what was read failed: read again and decide."""

    @classmethod
    def because(cls, _row: Row | None) -> "Stale":
        """Return it, as a step's refusal."""
        return cls()


def require_absent(table: Table, keys: Iterable[Key]) -> None:
    """Raise Stale if a row is there, or just being written, that a read did not show.

    A row that a transaction wrote may be visible a moment later than another of the same transaction, from which its id
    is known. Whoever answers for good that something is not there asks by a read that no write was in the way of.
    """
    wanted = list(keys)
    if wanted and table.snapshot(wanted) != []:
        raise Stale


def made_twice(_row: Row | None) -> Exception:
    """Return the error of creating a row under a new id that is there already: a step's refusal."""
    return AssertionError("an id was made twice")


def changed_since_read(_row: Row | None) -> Exception:
    """Return the error of changing what is no longer at the version that the client named: a step's refusal."""
    return PreconditionFailed()


def _unconditional(_row: Row | None) -> Exception:
    return TransactionRefusedError("a step without a condition failed its condition")


def _at(key: Key) -> dict[str, Any]:
    return {"Key": encode(key._asdict())}


@dataclass(slots=True)
class Transaction:
    """Steps that happen together or not at all."""

    table: Table
    steps: list[Step] = field(default_factory=list)

    def put(self, name: str, row: Row, *, condition: str, refusal: Refusal, **values: Any) -> None:
        """Add: write `row` where `condition` holds; `values` are the condition's (`now=1` for `:now`)."""
        self._add(name, "Put", {"Item": encode(row)}, condition, refusal, values)

    def create(self, name: str, row: Row, refusal: Refusal) -> None:
        """Add: write a row that must not be there yet."""
        self.put(name, row, condition="attribute_not_exists(pk)", refusal=refusal)

    def update(self, name: str, key: Key, change: str, *, condition: str, refusal: Refusal, **values: Any) -> None:
        """Add: change the row at `key` by an update expression where `condition` holds."""
        self._add(name, "Update", _at(key) | {"UpdateExpression": change}, condition, refusal, values)

    def check(self, name: str, key: Key, *, condition: str, refusal: Refusal, **values: Any) -> None:
        """Add: the row at `key` stays as it is, and `condition` holds."""
        self._add(name, "ConditionCheck", _at(key), condition, refusal, values)

    def write_along(self, name: str, row: Row) -> None:
        """Add: write a row; that it may be written is for the condition of another step to say."""
        self._add(name, "Put", {"Item": encode(row)})

    def update_along(self, name: str, key: Key, change: str, **values: Any) -> None:
        """Add: change a row, likewise."""
        self._add(name, "Update", _at(key) | {"UpdateExpression": change}, values=values)

    def delete_along(self, name: str, key: Key) -> None:
        """Add: remove a row, likewise."""
        self._add(name, "Delete", _at(key))

    def _add(
        self,
        name: str,
        verb: str,
        action: dict[str, Any],
        condition: str = "",
        refusal: Refusal = _unconditional,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        action["TableName"] = self.table.name
        if condition:
            action |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        if values:
            action["ExpressionAttributeValues"] = encode({f":{key}": value for key, value in values.items()})
        self.steps.append(Step(name, {verb: action}, refusal))

    def commit(self, deadline: float) -> None:
        """Carry it out, or raise the error of the first step that was refused; nothing happened then.

        Conflicts with other transactions are tried again with full jitter until `deadline` (monotonic).
        Raises Contention or Unavailable when that did not help.
        """
        for attempt in range(ATTEMPTS):
            reasons = self.table.transact([step.action for step in self.steps], str(unique()))
            if not reasons:
                return
            again = self._refused(reasons)
            wait = pause_before(attempt)
            if attempt + 1 == ATTEMPTS or monotonic() + wait >= deadline:
                raise again
            sleep(wait)

    def _refused(self, reasons: Sequence[Mapping[str, Any]]) -> DomainError:
        """Raise what a cancellation means, or return what to say if trying again does not help.

        Steps are asked in order, and the first failed condition is told, as asking again cannot heal it. Not so behind
        a step that met a conflict or was throttled: asked again, that one may fail too, and would be told first.
        """
        codes = {reason["Code"] for reason in reasons} - _NO_FAULT
        for step, reason in zip(self.steps, reasons, strict=True):
            if reason["Code"] in _UNKNOWN:
                break
            if reason["Code"] == "ConditionalCheckFailed":
                raise step.refusal(decode(reason["Item"]) if reason.get("Item") else None)
        codes.discard("ConditionalCheckFailed")
        if codes and codes <= _TRANSIENT:
            return Unavailable() if codes & THROTTLED else Contention()
        failed = [
            f"{step.name}: {reason['Code']} {reason.get('Message', '')}"
            for step, reason in zip(self.steps, reasons, strict=True)
            if reason["Code"] not in _NO_FAULT
        ]
        raise TransactionRefusedError("; ".join(failed))
