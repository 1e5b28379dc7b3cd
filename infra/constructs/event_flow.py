"""Nested stack of what happens with events after they were written: relay, queues, and functions that read those."""

from typing import Any

from aws_cdk import Duration, NestedStack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from handlers.invocations.trigger import Queue, Records
from handlers.registry import TriggerFunction
from infra.constructs.data import Data
from infra.constructs.lambda_function import LambdaFunction, Shared
from infra.constructs.queues import Queues
from infra.nag import acknowledge
from infra.stages import Stage

_BATCH = 100
_TRIES = 10
_MAX_AGE = Duration.hours(1)
"""Age at which a record that cannot be relayed is given up; the sweep for lost events looks at older ones."""
_READERS = 20
"""Calls at a time for each queue, so that a flood of events leaves room for clients."""
_EXPORTERS = 8
"""The same for exports, so that they leave capacity of the table's lists to clients."""


class EventFlow(NestedStack):
    """Bus and queues, and the functions that the table's stream and the queues call."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "EventFlow", description="Relay and handling of events")
        self.queues = Queues(self, stage)

    def on_stream(self, function: TriggerFunction, shared: Shared) -> None:
        """Deploy a function that gets records of the table's stream, all of a batch or none."""
        failed = self.queues.lost_records.queue
        reporting = iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[failed.queue_arn])
        deployed = LambdaFunction(self, function, shared, [*_reading_stream(shared.data), reporting])
        acknowledge(deployed.role, "AwsSolutions-IAM5[Resource::*]", "Lists of streams have no resources to name")
        lambda_.EventSourceMapping(
            self,
            f"{function.name}Stream",
            target=deployed.target,
            event_source_arn=shared.data.stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=_BATCH,
            bisect_batch_on_error=True,
            retry_attempts=_TRIES,
            max_record_age=_MAX_AGE,
            on_failure=sources.SqsDlq(failed),
            filters=_filters(function.trigger.records),
        )

    def on_queue(self, function: TriggerFunction, shared: Shared) -> None:
        """Deploy a function that gets messages of a queue, and reports those that failed."""
        if function.trigger.queue is None:
            raise ValueError(f"{function.name} has no queue")
        queue = self.queues.by_name[function.trigger.queue]
        receiving = iam.PolicyStatement(
            actions=["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], resources=[queue.queue_arn]
        )
        lambda_.EventSourceMapping(
            self,
            f"{function.name}Queue",
            target=LambdaFunction(self, function, shared, [receiving]).target,
            event_source_arn=queue.queue_arn,
            batch_size=function.trigger.batch,
            report_batch_item_failures=True,
            max_concurrency=_EXPORTERS if function.trigger.queue is Queue.EXPORTS else _READERS,
        )


def _reading_stream(data: Data) -> list[iam.PolicyStatement]:
    """Return what Lambda requires of a role before it reads a stream (Lambda developer guide, "Using DynamoDB")."""
    actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"]
    return [
        iam.PolicyStatement(actions=actions, resources=[data.stream_arn]),
        iam.PolicyStatement(actions=["dynamodb:ListStreams"], resources=["*"]),
    ]


def _filters(records: Records) -> list[Any]:
    """Return a filter for each type of row: Lambda drops other records, which cost nothing then."""
    return [
        lambda_.FilterCriteria.filter({"eventName": list(changes), "dynamodb": {"NewImage": {"type": {"S": [kind]}}}})
        for kind, changes in records.items()
    ]
