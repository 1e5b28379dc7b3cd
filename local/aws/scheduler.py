"""Local EventBridge Scheduler: calls scheduled functions at their intervals."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from handlers.invocations.trigger import TriggerSource
from handlers.registry import TriggerFunction, triggers

type Invoke = Callable[[str, dict[str, Any]], Awaitable[Any]]


class Clock:
    """Clock that calls each scheduled function. The first call is immediate, as work may be due after downtime."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke

    async def run(self) -> None:
        """Call the scheduled functions until cancelled."""
        scheduled = [each for each in triggers() if each.trigger.source is TriggerSource.SCHEDULE]
        await asyncio.gather(*(self._repeat(each) for each in scheduled))

    async def _repeat(self, function: TriggerFunction) -> None:
        while True:
            try:
                await self._invoke(function.name, scheduled_event(datetime.now(UTC)))
            except Exception:
                logging.getLogger("tradepost").exception("%s failed and is called again", function.name)
            await asyncio.sleep(function.trigger.every * 60)


def scheduled_event(at: datetime) -> dict[str, Any]:
    """Return the event of a schedule (EventBridge Scheduler user guide, "Invoke a Lambda function")."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "000000000000",
        "time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "region": "eu-west-1",
        "resources": [],
        "detail": "{}",
    }
