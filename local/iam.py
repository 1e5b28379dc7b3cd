"""Local enforcement of IAM roles: requests to DynamoDB that a function's role does not allow are rejected."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from repositories.aws.clients import cognito, dynamodb
from repositories.dynamodb.iam_actions import IamAction

_ACTIONS = {
    "GetItem": IamAction.GET,
    "BatchGetItem": IamAction.BATCH_GET,
    "Query": IamAction.QUERY,
    "PutItem": IamAction.PUT,
    "UpdateItem": IamAction.UPDATE,
    "Get": IamAction.GET,
    "ConditionCheck": IamAction.CHECK,
    "Put": IamAction.PUT,
    "Update": IamAction.UPDATE,
    "Delete": IamAction.DELETE,
    "DescribeTable": IamAction.DESCRIBE,
}
_role: ContextVar[tuple[str, frozenset[IamAction]] | None] = ContextVar("role", default=None)
observers: list[Callable[[Any], None]] = []
"""Callbacks that receive each HTTP request to DynamoDB that a function makes."""


class AccessDeniedError(Exception):
    """A function used an IAM action that its role does not allow."""


@contextmanager
def role_of(name: str, granted: frozenset[IamAction]) -> Iterator[None]:
    """Restrict the function `name` to the IAM actions in `granted` on the table, within the context."""
    dynamodb().meta.events.register("before-send.dynamodb", _enforce, unique_id="iam")
    cognito().meta.events.register("before-send.cognito-identity-provider", _enforce_on_pool, unique_id="iam")
    token = _role.set((name, granted))
    try:
        yield
    finally:
        _role.reset(token)


def _enforce(request: Any, **_: Any) -> None:
    role = _role.get()
    if role is None:
        return
    for observer in observers:
        observer(request)
    _require({action.value for action in actions_of(request)})


def _enforce_on_pool(request: Any, **_: Any) -> None:
    operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
    _require({f"cognito-idp:{operation}"})


def _require(used: set[str]) -> None:
    role = _role.get()
    if role is None:
        return
    name, granted = role
    denied = used - {action.value for action in granted} - {action.on_index for action in granted}
    if denied:
        actions = ", ".join(sorted(denied))
        raise AccessDeniedError(f"{name} may not use {actions}: the repository method must declare it with @uses(…)")


def actions_of(request: Any) -> set[IamAction]:
    """Return the IAM actions that an HTTP request to DynamoDB requires."""
    operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
    body = json.loads(request.body)
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        return {_ACTIONS[verb] for action in body["TransactItems"] for verb in action}
    written = body.get("Item") or body.get("Key") or {}
    if written.get("pk", {}).get("S", "").endswith("#USAGE"):
        return {IamAction.COUNT}
    return {IamAction(body["IndexName"]) if "IndexName" in body else _ACTIONS[operation]}
