"""Tests of a cancelled transaction's reasons; they are scripted, as the local database never returns some of them."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.common.errors import Contention, SkuTaken, Unavailable
from repositories.dynamodb import transaction
from repositories.dynamodb.codec import decode, encode, new_row
from repositories.dynamodb.keys import Key
from repositories.dynamodb.table import Meter, Table
from repositories.dynamodb.transaction import TransactionRefusedError, WriteTransaction

FOREVER = float("inf")


class Scripted(Table):
    """Table with scripted outcomes of transactions."""

    def __init__(self, *outcomes: Sequence[str]) -> None:
        super().__init__(None, "tradepost", Meter())  # type: ignore[arg-type]
        object.__setattr__(self, "outcomes", list(outcomes))
        object.__setattr__(self, "tokens", [])

    def transact(self, actions: Sequence[Any], token: str) -> Sequence[dict[str, Any]]:
        self.tokens.append(token)  # type: ignore[attr-defined]
        return [{"Code": code} for code in self.outcomes.pop(0)]  # type: ignore[attr-defined]


def two_steps(*outcomes: Sequence[str]) -> WriteTransaction:
    tx = WriteTransaction(Scripted(*outcomes))
    tx.create("one", new_row(Key("a", "A"), "x"), raises=SkuTaken("one"))
    tx.create("two", new_row(Key("b", "B"), "x"), raises=SkuTaken("two"))
    return tx


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "backoff_seconds", lambda _: 0.0)


def test_the_first_failed_condition_counts_whatever_else_happened() -> None:
    with pytest.raises(SkuTaken) as refused:
        two_steps(("ConditionalCheckFailed", "ConditionalCheckFailed")).commit(FOREVER)
    assert refused.value.flaws[0].detail.startswith("one")


@pytest.mark.parametrize("unknown", ["TransactionConflict", "ThrottlingError"])
def test_a_failed_condition_is_not_told_behind_a_step_of_which_nothing_is_known(unknown: str) -> None:
    """On the retry, the first step may fail too, and its error comes first."""
    both = ("ConditionalCheckFailed", "ConditionalCheckFailed")
    with pytest.raises(SkuTaken) as refused:
        two_steps((unknown, "ConditionalCheckFailed"), both).commit(FOREVER)
    assert refused.value.flaws[0].detail.startswith("one")
    with pytest.raises(SkuTaken) as refused:
        two_steps(("ConditionalCheckFailed", unknown)).commit(FOREVER)
    assert refused.value.flaws[0].detail.startswith("one")
    two_steps((unknown, "ConditionalCheckFailed"), ()).commit(FOREVER)


def test_conflicts_and_throttling_are_tried_again_under_new_tokens() -> None:
    tx = two_steps(("TransactionConflict", "None"), ("None", "ThrottlingError"), ())
    tx.commit(FOREVER)
    assert len(set(tx.table.tokens)) == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        (("TransactionConflict", "None"), Contention),
        (("ProvisionedThroughputExceeded", "None"), Unavailable),
        (("TransactionConflict", "ThrottlingError"), Unavailable),
    ],
)
def test_in_the_end_it_is_told(codes: Sequence[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        two_steps(*[codes] * transaction.ATTEMPTS).commit(FOREVER)
    with pytest.raises(error):
        two_steps(codes).commit(deadline=0)


@pytest.mark.parametrize(
    "codes", [("ValidationError", "None"), ("ItemCollectionSizeLimitExceeded", "TransactionConflict")]
)
def test_a_malformed_transaction_is_a_bug(codes: Sequence[str]) -> None:
    with pytest.raises(TransactionRefusedError, match="one: "):
        two_steps(codes).commit(FOREVER)


def test_rows_survive_the_way_to_the_wire_and_back() -> None:
    row = {"a": "ü", "b": 7, "c": None, "d": [1, "x", {"e": True}], "f": b"\x00\xff", "g": {}, "h": -(10**30)}
    assert decode(encode(row)) == row
    for stranger in (1.5, {1}, object()):
        with pytest.raises(TypeError):
            encode({"x": stranger})
