"""DynamoDB's expressions, as far as Tradepost writes them, on rows as plain values.

Source: DynamoDB developer guide, "Condition and filter expressions, operators, and functions" and "Using update
expressions". Whatever is not known here is an error, so that nothing is silently taken for true.
"""

import copy
import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from repositories.dynamodb.codec import Row

_COMPARED: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<>": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_TERM = re.compile(r"([\w.]+) (=|<>|<=|>=|<|>) (:\w+)")
_EXISTS = re.compile(r"attribute_(not_)?exists\(([\w.]+)\)")
_SET = re.compile(r"([\w.]+) = ([\w.:]+)(?: ([+-]) ([\w.:]+))?")
_RANGE = re.compile(r"(\w+) = (:\w+)(?: AND (\w+) (?:(=|<=|>=|<|>) (:\w+)|BETWEEN (:\w+) AND (:\w+)))?")
_MISSING = object()


class InvalidExpressionError(Exception):
    """DynamoDB would answer ValidationException."""


def holds(condition: str, row: Row | None, values: Mapping[str, Any]) -> bool:
    """Return whether a condition holds for the row at a key, None for none."""
    return any(all(_term(term, row or {}, values) for term in part.split(" AND ")) for part in condition.split(" OR "))


def _term(term: str, row: Row, values: Mapping[str, Any]) -> bool:
    exists = _EXISTS.fullmatch(term)
    if exists:
        return (_at(row, exists[2]) is _MISSING) == bool(exists[1])
    compared = _TERM.fullmatch(term)
    if not compared:
        raise InvalidExpressionError(term)
    found, wanted = _at(row, compared[1]), values[compared[3]]
    if found is _MISSING or type(found) is not type(wanted):
        return compared[2] == "<>"
    return _COMPARED[compared[2]](found, wanted)


def changed(update: str, row: Row, values: Mapping[str, Any]) -> Row:
    """Return a row after an update expression; all operands are of the row before it."""
    sets, _, more = update.partition(" ADD ")
    sets, _, gone = sets.partition(" REMOVE ")
    if not sets.startswith("SET "):
        raise InvalidExpressionError(update)
    after = copy.deepcopy(row)
    for clause in more.split(", ") if more else ():
        name, _, value = clause.partition(" ")
        after[name] = after.get(name, 0) + values[value]
    for name in gone.split(", ") if gone else ():
        after.pop(name, None)
    for clause in sets.removeprefix("SET ").split(", "):
        match = _SET.fullmatch(clause)
        if not match:
            raise InvalidExpressionError(clause)
        value = _operand(match[2], row, values)
        if match[3]:
            other = _operand(match[4], row, values)
            value = value + other if match[3] == "+" else value - other
        *path, last = match[1].split(".")
        place = after
        for part in path:
            place = place[part]
        place[last] = value
    return after


def key_range(condition: str, values: Mapping[str, Any]) -> tuple[str, Callable[[str], bool]]:
    """Return the partition that a key condition asks for, and which sort keys."""
    match = _RANGE.fullmatch(condition)
    if not match:
        raise InvalidExpressionError(condition)
    pk = values[match[2]]
    if match[4]:
        compare, bound = _COMPARED[match[4]], values[match[5]]
        return pk, lambda sk: compare(sk, bound)
    if match[6]:
        low, high = values[match[6]], values[match[7]]
        return pk, lambda sk: low <= sk <= high
    return pk, lambda _sk: True


def _at(row: Row, path: str) -> Any:
    found: Any = row
    for part in path.split("."):
        if not isinstance(found, dict) or part not in found:
            return _MISSING
        found = found[part]
    return found


def _operand(text: str, row: Row, values: Mapping[str, Any]) -> Any:
    value = values[text] if text.startswith(":") else _at(row, text)
    if value is _MISSING:
        raise InvalidExpressionError(f"{text} is not there")
    return value
