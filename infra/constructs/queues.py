"""Queues and the bus on which events leave the table, with a dead-letter queue for each reader."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from handlers.invocations.trigger import Queue
from infra.nag import acknowledge
from infra.naming import set_logical_id
from infra.stages import Stage

ARCHIVED_DAYS = 30
"""Days for which the bus can replay events: as long as they are in the table."""
TRIES = 8
"""Times that a message is received before it is a failed one."""
_KEPT = Duration.days(14)
_BUSY = Duration.seconds(120)
"""Time for which a message is hidden while it is handled: six times the functions' time-out, as Lambda advises."""
_LONG_BUSY = Duration.seconds(360)
"""The same for exports: more than their worker may take. It is not throttled, so that six times are not needed."""


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Queue of what failed, and what it means for operators."""

    name: str
    queue: sqs.Queue
    meaning: str


class Queues(Construct):
    """Bus, queues, and queues of what failed."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "Queues")
        self._over_tls = stage.queues_over_tls
        self.bus = events.EventBus(self, "Bus", description=f"Events of Tradepost ({stage.name})")
        set_logical_id(self.bus, "EventBus")
        if stage.production:
            self.bus.archive(
                "Archive",
                description="Events of the last days, to replay them on the bus",
                event_pattern=events.EventPattern(account=[self.bus.env.account]),
                retention=Duration.days(ARCHIVED_DAYS),
            )
        self.lost_records = self._failed("LostRecords", "Records of the stream were not relayed")
        self.dead_letters = [self.lost_records]
        self.by_name = {each: self._queue(each) for each in Queue}

    def _queue(self, name: Queue) -> sqs.Queue:
        is_fifo = name is Queue.EVENTS
        failed = self._failed(f"Failed{name.value}", f"{name.value} failed {TRIES} times", fifo=is_fifo)
        self.dead_letters.append(failed)
        queue = sqs.Queue(
            self,
            name.value,
            fifo=is_fifo or None,
            # Limits for each subject instead of for the whole queue (SQS developer guide, "High throughput for FIFO").
            deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP if is_fifo else None,
            fifo_throughput_limit=sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID if is_fifo else None,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=self._over_tls,
            retention_period=_KEPT,
            visibility_timeout=_LONG_BUSY if name is Queue.EXPORTS else _BUSY,
            dead_letter_queue=sqs.DeadLetterQueue(queue=failed.queue, max_receive_count=TRIES),
        )
        set_logical_id(queue, f"{name.value}Queue")
        self._acknowledge(queue)
        return queue

    def _acknowledge(self, queue: sqs.Queue) -> None:
        if not self._over_tls:
            acknowledge(queue, "AwsSolutions-SQS4", "A local AWS has no TLS")

    def _failed(self, name: str, meaning: str, *, fifo: bool = False) -> DeadLetters:
        queue = sqs.Queue(
            self,
            name,
            fifo=fifo or None,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=self._over_tls,
            retention_period=_KEPT,
        )
        set_logical_id(queue, name)
        acknowledge(queue, "AwsSolutions-SQS3", "It is a queue of what failed itself")
        self._acknowledge(queue)
        return DeadLetters(name, queue, meaning)

    def publishing(self) -> list[iam.PolicyStatement]:
        """Return the permissions to send events to bus and queues."""
        queues = [queue.queue_arn for queue in self.by_name.values()]
        return [
            iam.PolicyStatement(actions=["events:PutEvents"], resources=[self.bus.event_bus_arn]),
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=queues),
        ]

    def settings(self) -> dict[str, str]:
        """Return the settings of functions that send events."""
        return {"event_bus": self.bus.event_bus_name} | {
            queue.setting: deployed.queue_url for queue, deployed in self.by_name.items()
        }
