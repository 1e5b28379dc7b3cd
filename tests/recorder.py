"""Recorder of functions' requests to the table, as sent."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.iam import actions_of, observers
from repositories.dynamodb.iam_actions import IamAction


class Recorder:
    """Recorder of the IAM actions that requests to DynamoDB need, and of the tenants in their keys."""

    def __init__(self) -> None:
        self.used: set[IamAction] = set()
        self.tenants: set[str] = set()

    def __call__(self, request: Any) -> None:
        self.used |= actions_of(request)
        self.tenants |= set(re.findall(r'"T#([^#]+)#', request.body.decode()))


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record the requests of functions that are called within the context."""
    recorder = Recorder()
    observers.append(recorder)
    try:
        yield recorder
    finally:
        observers.remove(recorder)
