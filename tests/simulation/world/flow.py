"""What AWS does with changes: the table's stream, a bus, queues, and Lambda, which reads stream and queues.

Sources: DynamoDB developer guide, "Change data capture for DynamoDB Streams" (each change once, in order by row; shards
are read apart); Lambda developer guide, "Using Lambda with DynamoDB" (a batch that fails comes again, as a whole or
halved) and "Using Lambda with Amazon SQS" (at least once; a message that failed is visible again; FIFO groups in
order); SQS API reference, SendMessageBatch (some entries may fail; FIFO duplicates are dropped for five minutes).
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ReadTimeoutError

from repositories.dynamodb.codec import Row, encode
from tests.simulation.world.functions import Functions
from tests.simulation.world.model import Commit
from tests.simulation.world.scheduler import Scheduler, Task

SHARDS = 3
_RELAYED = {
    "event": {"INSERT"},
    "delivery": {"INSERT", "MODIFY"},
    "lane": {"INSERT", "MODIFY"},
    "export_part": {"INSERT"},
    "export": {"MODIFY"},
}
READERS = {"events": "HandleEvents", "deliveries": "DeliverWebhooks", "exports": "WriteExports"}
"""Functions that read queues."""
_DEDUPLICATED_SECONDS = 300.0
_HIDDEN_SECONDS = 60.0
_BATCH = 10
_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
"""Pause of a reader that has found nothing, and how long it becomes, in seconds."""


@dataclass(slots=True)
class Troubles:
    """How often something goes wrong, each a share."""

    lost: float = 0.0
    """Batches of the stream that no function gets."""
    refused: float = 0.0
    """Calls to bus and queues of which some entries are not taken."""
    unanswered: float = 0.0
    """Calls to bus and queues whose answer is lost."""
    repeated: float = 0.0
    """Batches and messages that come again although they were handled."""


@dataclass(slots=True)
class Message:
    """A message of a queue."""

    number: int
    body: str
    group: str
    visible_at: float


@dataclass(slots=True)
class Queue:
    """A queue; one that is FIFO keeps groups in order and drops what it had in the last five minutes."""

    is_fifo: bool
    messages: list[Message] = field(default_factory=list)
    seen: dict[str, float] = field(default_factory=dict)

    def add(self, message: Message, deduplication: str, time: float) -> None:
        """Add a message."""
        if self.is_fifo:
            if self.seen.get(deduplication, -_DEDUPLICATED_SECONDS) > time - _DEDUPLICATED_SECONDS:
                return
            self.seen[deduplication] = time
        self.messages.append(message)

    def receive(self, time: float, chance: Any) -> list[Message]:
        """Return messages, which are hidden for a while."""
        found: list[Message] = []
        blocked: set[str] = set()
        candidates = list(self.messages)
        if not self.is_fifo:
            chance.shuffle(candidates)
        for message in candidates:
            if len(found) == (_BATCH if self.is_fifo else 1):
                break
            if message.visible_at > time or message.group in blocked:
                blocked |= {message.group} if self.is_fifo else set()
                continue
            message.visible_at = time + _HIDDEN_SECONDS
            found.append(message)
        return found


@dataclass(slots=True)
class Flow:
    """Stream, bus and queues of a universe."""

    scheduler: Scheduler
    functions: Functions
    troubles: Troubles = field(default_factory=Troubles)
    on_bus: list[str] = field(default_factory=list)
    """Ids of events that the bus has taken."""
    lost: int = 0
    queues: dict[str, Queue] = field(default_factory=lambda: {name: Queue(name == "events") for name in READERS})
    read: tuple[str, ...] = ()
    """Queues that are read."""
    _shards: dict[int, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    _numbers: Any = field(default_factory=count)

    def capture(self, commit: Commit) -> None:
        """Put the changes of a decision into the stream, when they are complete."""
        for key, row in commit.after.items():
            before = commit.before[key]
            change = "INSERT" if before is None else "MODIFY"
            if row and change in _RELAYED.get(row["type"], ()):
                shard = hashlib.blake2s(key[0].encode()).digest()[0] % SHARDS
                self._shards[shard].append({"eventName": change, "dynamodb": _images(row, before)})

    def begin(self, until: Callable[[], bool], *queues: str) -> list[Task]:
        """Begin to read the stream and some queues, until something holds."""
        self.read = queues
        spawn = self.scheduler.spawn
        readers = [spawn(f"stream-{n}", lambda n=n: self._read_shard(n, until)) for n in range(SHARDS)]  # type: ignore[misc]
        for name in queues:
            readers += [
                spawn(f"{name}-{n}", lambda name=name: self._read_queue(name, READERS[name], until))  # type: ignore[misc]
                for n in range(2)
            ]
        return readers

    @property
    def idle(self) -> bool:
        """Whether nothing is left to relay or to handle, but what a queue delays."""
        now = self.scheduler.time
        queues = [self.queues[name] for name in self.read]
        waiting = [each for queue in queues for each in queue.messages if each.visible_at <= now + 61]
        return not waiting and not any(self._shards.values())

    def clients(self) -> dict[str, Any]:
        """Return the clients of queues and bus."""
        events = SimpleNamespace(put_events=self._put_events)
        return {"sqs": SimpleNamespace(send_message_batch=self._send), "events": events}

    def _read_shard(self, number: int, until: Callable[[], bool]) -> None:
        scheduler, chance, shard = self.scheduler, self.scheduler.chance, self._shards[number]
        pause = _PAUSE
        while not until():
            if not shard:
                scheduler.wait(pause)
                pause = min(pause * 1.2, _LONGEST_PAUSE)
                continue
            pause = _PAUSE
            batch = shard[: chance.randint(1, _BATCH)]
            if chance.random() < self.troubles.lost:
                self.lost += 1
                del shard[: len(batch)]
                continue
            if self._call("RelayEvents", {"Records": batch}) is not None and chance.random() >= self.troubles.repeated:
                del shard[: len(batch)]

    def _read_queue(self, name: str, function: str, until: Callable[[], bool]) -> None:
        scheduler, chance, queue = self.scheduler, self.scheduler.chance, self.queues[name]
        pause = _PAUSE
        while not until():
            messages = queue.receive(scheduler.time, chance)
            if not messages:
                scheduler.wait(pause)
                pause = min(pause * 1.2, _LONGEST_PAUSE)
                continue
            pause = _PAUSE
            records = [_record(each) for each in messages]
            result = self._call(function, {"Records": records})
            failed = {str(each.number) for each in messages}
            if result is not None:
                failed = {each["itemIdentifier"] for each in (result[0] or {}).get("batchItemFailures", ())}
            for message in messages:
                if str(message.number) in failed or chance.random() < self.troubles.repeated:
                    message.visible_at = scheduler.time + chance.random() * 5
                elif message in queue.messages:
                    queue.messages.remove(message)

    def _call(self, function: str, event: dict[str, Any]) -> tuple[Any] | None:
        """Call a function; return its result, or None if it failed or died."""
        task = self.functions.trigger(function, event)
        self.scheduler.join([task], 25)
        return None if task.error or not task.done else (task.result,)

    def _put_events(self, *, Entries: Any) -> dict[str, Any]:  # noqa: N803 - boto's names
        import json

        def put(entry: Any) -> None:
            self.on_bus.append(json.loads(entry["Detail"])["id"])

        failed = self._request(Entries, put)
        return {"FailedEntryCount": len(failed), "Entries": []}

    def _send(self, *, QueueUrl: str, Entries: Any) -> dict[str, Any]:  # noqa: N803
        def send(entry: Any) -> None:
            now = self.scheduler.time
            message = Message(
                next(self._numbers), entry["MessageBody"], entry["MessageGroupId"], now + entry.get("DelaySeconds", 0)
            )
            self.queues[QueueUrl].add(message, entry.get("MessageDeduplicationId", ""), now)

        failed = self._request(Entries, send)
        return {"Successful": [], "Failed": [{"Id": entry["Id"]} for entry in failed]}

    def _request(self, entries: Any, take: Callable[[Any], None]) -> list[Any]:
        """Take entries one by one, some perhaps not; the answer may be lost."""
        scheduler, chance = self.scheduler, self.scheduler.chance
        scheduler.wait(chance.expovariate(200))
        refuses = chance.random() < self.troubles.refused
        failed = []
        for entry in entries:
            if refuses and chance.random() < 0.5:
                failed.append(entry)
            else:
                take(entry)
        scheduler.wait(chance.expovariate(200))
        if chance.random() < self.troubles.unanswered:
            raise ReadTimeoutError(endpoint_url="simulated")
        return failed


def _images(row: Row, before: Row | None) -> dict[str, Any]:
    return {"NewImage": encode(row)} | ({"OldImage": encode(before)} if before else {})


def _record(message: Message) -> dict[str, Any]:
    return {
        "messageId": str(message.number),
        "receiptHandle": "simulated",
        "body": message.body,
        "attributes": {"MessageGroupId": message.group},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
    }
