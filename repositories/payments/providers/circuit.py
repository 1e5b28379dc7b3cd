"""Circuits of tenants' payment providers: a provider that does not answer is left alone for a while.

Powertools' circuit breaker, on our table. There is a circuit for each tenant and provider, in the tenant's partition:
requests reach nothing outside of it, and what goes wrong for one tenant stops no other.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerConfig, CircuitBreakerOpenError, CircuitState
from aws_lambda_powertools.utilities.circuit_breaker import circuit_breaker as protected
from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerPersistenceLayer
from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitStateRecord as Record
from aws_lambda_powertools.utilities.circuit_breaker.persistence.base import CircuitBreakerExistingLockError

from repositories.dynamodb import keys
from repositories.dynamodb.codec import Row, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.session import Session
from repositories.dynamodb.table import Table
from repositories.payments.providers.provider import OutcomeUnknown, ProviderDown, Refused

CONFIG = CircuitBreakerConfig(
    failure_threshold=5, recovery_timeout=30, success_threshold=1, handled_exceptions=ProviderDown
)
"""Opens after five failures in a row in one environment; half a minute later, one request tries the provider."""
_ANYWAY = "attribute_exists(pk) OR attribute_not_exists(pk)"
_IS_FREE = (
    "(circuit_state = :open AND attribute_not_exists(half_open_owner) AND opened_at = :opened_at)"
    " OR (circuit_state = :half_open AND probe_lease_expiry <= :now)"
)
_OPTIONAL = ("opened_at", "half_open_owner", "probe_lease_expiry")


class CircuitOpen(OutcomeUnknown):
    """A provider was not asked, as it did not answer before."""


def through_circuit[T](session: Session, provider: str, question: Callable[[], T]) -> T:
    """Return what a provider answers. Raises CircuitOpen if it is not to be asked now, and as `question`.

    A refusal is an answer: it shows that the provider works.
    """
    name = f"{session.tenant}/{provider}"
    store = _store(keys.circuit(session.tenant, provider))
    store.table = session.table
    guarded = protected(name=name, persistence_store=store, config=CONFIG)(partial(_answered, question))
    try:
        answer, refusal = guarded()
    except CircuitBreakerOpenError:
        raise CircuitOpen(f"{provider} did not answer before") from None
    if refusal:
        raise refusal
    return answer  # type: ignore[no-any-return]


def is_open(row: Row | None, at: datetime) -> bool:
    """Return whether a provider is left alone at a time, as the row of its circuit says."""
    if row is None or row["circuit_state"] != CircuitState.OPEN.value:
        return False
    return at.timestamp() < int(row["opened_at"]) + CONFIG.recovery_timeout


def _answered[T](question: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """Return an answer, or the exception that shows that the provider has answered."""
    try:
        return question(), None
    except ProviderDown:
        raise
    except (Refused, OutcomeUnknown) as answered:
        return None, answered


class _Store(CircuitBreakerPersistenceLayer):
    """One circuit on the table. Powertools keeps what was read for five seconds."""

    table: Table

    def __init__(self, key: Key) -> None:
        super().__init__()
        self._key = key

    def _get_record(self, name: str) -> Record | None:
        row = self.table.get(self._key, consistent=False)
        if row is None:
            return None
        fields = {each: row.get(each) for each in _OPTIONAL}
        return Record(name, CircuitState(row["circuit_state"]), row["failure_count"], **fields)

    def _put_record(self, record: Record, condition: str | None = None, expected_opened_at: int | None = None) -> None:
        """Write the row. Raises CircuitBreakerExistingLockError if another worker is the one that tries."""
        if condition is None:
            self.table.put(self._row(record), _ANYWAY, {})
            return
        at = (record.probe_lease_expiry or 0) - CONFIG.recovery_timeout
        states = {":open": CircuitState.OPEN.value, ":half_open": CircuitState.HALF_OPEN.value}
        values = states | {":opened_at": expected_opened_at or 0, ":now": at}
        if self.table.put(self._row(record), _IS_FREE, values) is not None:
            raise CircuitBreakerExistingLockError

    def _update_record(self, record: Record) -> None:
        self._put_record(record)

    def _row(self, record: Record) -> Row:
        optional: dict[str, Any] = {each: value for each in _OPTIONAL if (value := getattr(record, each)) is not None}
        return new_row(
            self._key,
            "circuit",
            circuit_state=record.state.value,
            failure_count=record.failure_count,
            ttl=record.expiry_timestamp,
            **optional,
        )


@lru_cache(1000)
def _store(key: Key) -> _Store:
    return _Store(key)
