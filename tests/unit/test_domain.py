"""Tests of money, patches, versions, ids, roles and parallel work, without a database."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import iso4217
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.common import errors
from domain.common.environment import Environment
from domain.common.errors import DomainError
from domain.common.ids import derived_id, is_id, new_id
from domain.common.iso.currencies import MINOR_UNITS
from domain.common.merge_patch import merge_patch
from domain.common.model import to_rfc3339
from domain.common.money import Money
from domain.common.versions import Versions
from domain.identity.permissions import GRANTS, Caller, Permission, Role
from domain.items import Item, NewItem
from domain.payments.movements import Movement, MovementKind, debits_of
from handlers.http import errors as transport
from handlers.http.problems import PROBLEMS

currencies = st.sampled_from(sorted(MINOR_UNITS))


def test_minor_units_are_those_of_iso_4217() -> None:
    assert {each.code: each.exponent for each in iso4217.Currency if each.exponent is not None} == MINOR_UNITS


@given(currencies, st.integers(0, 10**12 - 1))
def test_money_is_exact_from_the_table_to_the_wire_and_back(currency: str, minor: int) -> None:
    money = Money.of_minor(minor, currency)
    shown = money.model_dump(mode="json")
    assert Money.model_validate(shown).minor == money.minor == minor
    assert len(shown["amount"].partition(".")[2]) == MINOR_UNITS[currency]
    assert Decimal(shown["amount"]).scaleb(MINOR_UNITS[currency]) == minor


@given(currencies, st.integers(0, 10**6), st.integers(1, 9))
def test_one_digit_too_many_is_refused_not_rounded(currency: str, whole: int, digit: int) -> None:
    amount = f"{whole}.{'0' * MINOR_UNITS[currency]}{digit}"
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": currency})


@pytest.mark.parametrize(
    "amount", [1, 1.5, Decimal(1), None, True, "", "1.", ".5", "+1", "01", " 1", "1 ", "1\n", "1,5"]
)
def test_an_amount_is_plain_decimal_text(amount: object) -> None:
    with pytest.raises(ValidationError):
        Money.model_validate({"amount": amount, "currency": "EUR"})


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_does_what_rfc_7396_appendix_a_says(target: object, patch: object, result: object) -> None:
    assert merge_patch(target, patch) == result


@given(st.integers(1, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 120))
def test_a_version_is_fresh_from_the_last_edit_on(edits: int, at_edit: int, since: int, expected: int) -> None:
    versions = Versions(edits, at_edit + since, at_edit)
    fresh = edits + at_edit <= expected <= versions.shown
    if fresh:
        versions.require_fresh(frozenset({expected, 10**9}))
    else:
        with pytest.raises(errors.PreconditionFailed):
            versions.require_fresh(frozenset({expected}))
    versions.require_fresh(None)


def test_ids_sort_by_time_and_derived_ones_repeat() -> None:
    moment = datetime(2026, 11, 21, tzinfo=UTC)
    seed = bytes(range(32))
    early, late = (derived_id("item", moment + timedelta(milliseconds=n), seed) for n in (0, 1))
    assert early < late
    assert early == derived_id("item", moment, seed)
    for each in (early, new_id("item")):
        assert is_id("item", each)
        assert not is_id("order", each)
    for bad in ("item_", "item_" + "0" * 25, "item_" + "U" * 26, "item_8" + "0" * 25, early + "#", early.lower()):
        assert not is_id("item", bad)


def test_every_error_has_its_place_on_the_wire_and_its_own_code() -> None:
    concrete = {
        each for each in DomainError.__subclasses__() if each.__module__ in {errors.__name__, transport.__name__}
    }
    assert concrete == set(PROBLEMS)
    codes = [problem.code for problem in PROBLEMS.values()]
    assert len(codes) == len(set(codes))


def test_roles() -> None:
    for role in (Role.OWNER, Role.STAFF):
        assert GRANTS[role] >= {Permission.ITEMS_READ, Permission.ITEMS_WRITE, Permission.ITEMS_READ_ARCHIVED}
    customer = Caller("acme", "u", Role.CUSTOMER)
    assert customer.may(Permission.ITEMS_READ)
    for refused in (Permission.ITEMS_WRITE, Permission.ITEMS_READ_ARCHIVED):
        with pytest.raises(errors.Forbidden):
            customer.require(refused)


def test_times_have_milliseconds_and_sort_as_text() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_999, tzinfo=UTC)
    item = Item.new("item_x", NewItem(name="a", price=Money.of_minor(1, "EUR")), moment)
    assert item.model_dump(mode="json")["created_at"] == "2026-01-02T03:04:05.678Z"
    assert to_rfc3339(moment.replace(microsecond=0)) == "2026-01-02T03:04:05.000Z"


def test_parallel_work_within_parallel_work_ends() -> None:
    """More calls than there are threads, each with calls of its own."""
    environment, results = Environment(), list[list[list[int]]]()

    def row(number: int) -> list[int]:
        return environment.in_parallel(lambda n: number * n, range(3))

    worker = threading.Thread(target=lambda: results.append(environment.in_parallel(row, range(100))), daemon=True)
    worker.start()
    worker.join(60)
    assert results == [[[0, number, 2 * number] for number in range(100)]]


def test_parallel_work_raises_the_first_exception_and_can_be_done_again() -> None:
    environment = Environment()

    def broken(number: int) -> None:
        if number:
            raise ValueError(number)

    for _ in range(2):
        with pytest.raises(ValueError, match="1"):
            environment.in_parallel(broken, range(3))
    assert threading.current_thread().name not in environment.in_parallel(
        lambda _: threading.current_thread().name, range(3)
    )


@pytest.mark.parametrize(("amount", "sign"), [(1100, 1), (-1100, -1)])
def test_a_payment_in_another_currency_is_exchanged(amount: int, sign: int) -> None:
    """A customer pays 12.00 dollars, of which the balance gets 11.00 euros less a fee, or the same is refunded."""
    kind = MovementKind.CHARGE if sign > 0 else MovementKind.REFUND
    movement = Movement("txn_1", kind, amount, 40, "EUR", datetime.fromtimestamp(0, UTC))
    sums = debits_of(movement, "stripe", Money.of_minor(1200, "USD"))
    assert {place: minor for place, minor in sums.items() if minor} == {
        ("stripe", "EUR"): amount - 40,
        ("provider_fees", "EUR"): 40,
        ("exchange", "EUR"): -amount,
        ("exchange", "USD"): sign * 1200,
        ("stripe", "USD"): -sign * 1200,
    }
