"""Local part of Lambda that reads the table's stream and calls functions with its records.

The place in the stream is saved when the queues of events and exports are empty: queues are in memory, so that what was
relayed and not handled at the end of a server is relayed again by the next one.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from handlers.invocations.trigger import Queue, TriggerSource
from handlers.registry import TriggerFunction, triggers
from local.aws.queues import Reader, is_empty
from local.aws.scheduler import Invoke
from local.database import TABLE_NAME

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

_BATCH = 100
_PAUSE_SECONDS = 0.2
_RETRY_SECONDS = 2
_CONFIG = Config(parameter_validation=False)
"""Dynoxide's ids of shards can be shorter than those of AWS."""


_AWAITED = (Queue.EVENTS, Queue.EXPORTS)
"""Queues whose messages are sent again after a restart; those of others are found by sweeps soon enough."""


class Stream:
    """Reader of the table's stream. `folder` keeps its place (None: it begins at the oldest record)."""

    def __init__(self, invoke: Invoke, folder: Path | None, readers: Sequence[Reader]) -> None:
        """`readers` are those of the queues to which the functions send."""
        self._invoke, self._readers = invoke, readers
        self._file = folder and folder / "stream.json"
        self._functions = [each for each in triggers() if each.trigger.source is TriggerSource.STREAM]
        self._streams: DynamoDBStreamsClient = boto3.client("dynamodbstreams", endpoint_url=_endpoint(), config=_CONFIG)
        self._iterator = ""
        self._place = self._saved = self._kept()

    async def run(self) -> None:
        """Read and call until cancelled. A batch that fails comes again."""
        while True:
            try:
                records = await asyncio.to_thread(self._read)
                for function in self._functions:
                    await self._call(function, records)
            except Exception:
                logging.getLogger("tradepost").exception("The stream is read again")
                self._iterator = ""
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if records:
                self._place = records[-1]["dynamodb"]["SequenceNumber"]
            else:
                await asyncio.to_thread(self._save)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _call(self, function: TriggerFunction, records: Sequence[Any]) -> None:
        wanted = [each for each in records if is_wanted(function, each)]
        if wanted:
            await self._invoke(function.name, {"Records": wanted})
            for reader in self._readers:
                reader.news.set()

    def _read(self) -> list[Any]:
        """Return the next records."""
        iterator = self._iterator or self._iterator_at(self._place)
        answer = self._streams.get_records(ShardIterator=iterator, Limit=_BATCH)
        self._iterator = answer.get("NextShardIterator", "")
        return [_as_lambda_sends(each) for each in answer["Records"]]

    def _iterator_at(self, place: str) -> str:
        [stream] = self._streams.list_streams(TableName=TABLE_NAME)["Streams"]
        arn = stream["StreamArn"]
        # Dynoxide has one shard for each table.
        shard = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
        start: Any = (
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": place}
            if place
            else {"ShardIteratorType": "TRIM_HORIZON"}
        )
        return self._streams.get_shard_iterator(StreamArn=arn, ShardId=shard, **start)["ShardIterator"]

    def _kept(self) -> str:
        if self._file is None or not self._file.exists():
            return ""
        return str(json.loads(self._file.read_text())["place"])

    def _save(self) -> None:
        if self._file is not None and self._place != self._saved and all(map(is_empty, _AWAITED)):
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps({"place": self._place}))
            fresh.replace(self._file)
            self._saved = self._place


def is_wanted(function: TriggerFunction, record: Any) -> bool:
    """Return whether a function gets a record of the stream."""
    kind = record["dynamodb"].get("NewImage", {}).get("type", {}).get("S", "")
    return record["eventName"] in function.trigger.records.get(kind, ())


def _endpoint() -> str:
    """Return the database's endpoint, which serves streams too."""
    return str(boto3.client("dynamodb").meta.endpoint_url)


def _as_lambda_sends(record: Any) -> dict[str, Any]:
    """Return a record in the form in which Lambda sends it: JSON."""
    change = record["dynamodb"]
    kept = {name: change[name] for name in ("Keys", "NewImage", "OldImage", "SequenceNumber") if name in change}
    return {"eventID": record["eventID"], "eventName": record["eventName"], "dynamodb": kept}
