"""All services that functions need, for commands that call functions themselves."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from local.aws.files import files
from local.cognito.service import UserPoolService
from local.database import database
from local.simulators.banks import simulated
from local.user_pool import user_pool


@contextmanager
def services(folder: Path | None = None, banks: AbstractContextManager[Any] | None = None) -> Iterator[UserPoolService]:
    """Run database, user pool, bucket and payment providers on a data folder (None: in memory); yield the user pool."""
    with (
        database(folder),
        user_pool(folder) as (pool, _),
        files(folder and folder / "exports"),
        banks or simulated(),
    ):
        yield pool
