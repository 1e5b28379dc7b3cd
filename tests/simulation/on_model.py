"""What the tests of simulation share."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.simulation.world.client import Client, Faults
from tests.simulation.world.model import Model, Profile
from tests.simulation.world.scheduler import Scheduler

PROMPT = Profile(latency=0.001, commit_spread=0.0, slow_commits=0.0, index_lag=0.0, long_lags=0.0, unprocessed=0.0)


TABLE = "tradepost"


def simulated(
    act: Callable[[Client], Any], profile: Profile = PROMPT, faults: Faults | None = None, seed: int = 1
) -> Any:
    """Return what comes of acting on a new table."""
    scheduler = Scheduler(Random(seed))
    client = Client(scheduler, Model(scheduler, profile), faults or Faults())
    task = scheduler.spawn("test", lambda: act(client))
    scheduler.run(lambda: task.done)
    if task.error:
        raise task.error
    return task.result
