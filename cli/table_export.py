"""Export of the whole table to S3, as it was at one moment (DynamoDB developer guide, "DynamoDB data export to S3")."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PREFIX = "exported_rows"
"""Prefix of the files, which the lake's table reads."""
_PAUSE_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class TableExport:
    """A begun export: its ARN and id, which is part of its files' names."""

    arn: str

    @property
    def id(self) -> str:
        """Id of the export."""
        return self.arn.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """Folder of its files in the bucket."""
        return f"{PREFIX}/AWSDynamoDB/{self.id}/data/"


def begin(dynamodb: Any, table: str, bucket: str, at: datetime | None) -> TableExport:
    """Begin an export to a bucket: of the table as it was at a moment of the last 35 days, or as it is now.

    It reads a backup, so that the table's capacity is not used. Raises botocore's ClientError.
    """
    arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    moment = {"ExportTime": at} if at else {}
    begun = dynamodb.export_table_to_point_in_time(
        TableArn=arn, S3Bucket=bucket, S3Prefix=PREFIX, ExportFormat="DYNAMODB_JSON", **moment
    )
    return TableExport(begun["ExportDescription"]["ExportArn"])


def wait(dynamodb: Any, export: TableExport, sleep: Callable[[float], None] = time.sleep) -> int:
    """Wait until an export is complete and return its number of rows. Raises LookupError if it fails."""
    while True:
        shown = dynamodb.describe_export(ExportArn=export.arn)["ExportDescription"]
        if shown["ExportStatus"] == "COMPLETED":
            return int(shown["ItemCount"])
        if shown["ExportStatus"] == "FAILED":
            raise LookupError(f"The export failed: {shown.get('FailureMessage') or shown.get('FailureCode')}")
        sleep(_PAUSE_SECONDS)
