"""What functions do to the table, as it is on the wire."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.iam import actions_of, observers
from repositories.dynamodb.iam_actions import IamAction


class Recorder:
    """IAM actions that requests to DynamoDB needed, and the tenants whose partitions they named."""

    def __init__(self) -> None:
        self.used: set[IamAction] = set()
        self.tenants: set[str] = set()

    def __call__(self, request: Any) -> None:
        self.used |= actions_of(request)
        self.tenants |= set(re.findall(r'"T#([^#]+)#', request.body.decode()))


@contextmanager
def recording() -> Iterator[Recorder]:
    """Record the requests of functions that are invoked within."""
    recorder = Recorder()
    observers.append(recorder)
    try:
        yield recorder
    finally:
        observers.remove(recorder)
