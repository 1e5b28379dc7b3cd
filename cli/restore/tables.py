"""Operations on whole tables that take minutes or hours; each finds out whether it is done already."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_TTL_ENABLED = {"ENABLED", "ENABLING"}


@dataclass(frozen=True, slots=True)
class Tables:
    """DynamoDB tables; `pause` waits between two looks at an operation."""

    client: Any
    pause: Callable[[], None] = lambda: time.sleep(10)

    def settings(self, table: str) -> dict[str, Any]:
        """Return the settings of a table that a restore leaves out."""
        described = self.client.describe_table(TableName=table)["Table"]
        live = self.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        backups = self.client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]
        insights = self.client.describe_contributor_insights(TableName=table)
        return {
            "ttl": live.get("AttributeName") if live["TimeToLiveStatus"] in _TTL_ENABLED else None,
            "recovery": recovery["PointInTimeRecoveryStatus"] == "ENABLED",
            "recovery_days": recovery.get("RecoveryPeriodInDays"),
            "stream": described.get("StreamSpecification"),
            "protected": described.get("DeletionProtectionEnabled", False),
            "tags": list(self._tags(described["TableArn"])),
            "indexes": [index["IndexName"] for index in described.get("GlobalSecondaryIndexes", [])],
            "insights": insights["ContributorInsightsStatus"] in _TTL_ENABLED,
            "insights_mode": insights.get("ContributorInsightsMode"),
        }

    def put_settings(self, table: str, settings: dict[str, Any]) -> None:
        """Give a restored table the settings of the table before."""
        now = self.settings(table)
        if settings["ttl"] and not now["ttl"]:
            wanted = {"Enabled": True, "AttributeName": settings["ttl"]}
            self.client.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)
        if settings["recovery"] and not now["recovery"]:
            recovery = {"PointInTimeRecoveryEnabled": True}
            if settings["recovery_days"]:
                recovery["RecoveryPeriodInDays"] = settings["recovery_days"]
            self._once_enabled(
                lambda: self.client.update_continuous_backups(
                    TableName=table, PointInTimeRecoverySpecification=recovery
                )
            )
        if settings["stream"] and not now["stream"]:
            self.client.update_table(TableName=table, StreamSpecification=settings["stream"])
            self._until_active(table)
        if settings["protected"] and not now["protected"]:
            self.client.update_table(TableName=table, DeletionProtectionEnabled=True)
            self._until_active(table)
        if settings["tags"]:
            arn = self.client.describe_table(TableName=table)["Table"]["TableArn"]
            self.client.tag_resource(ResourceArn=arn, Tags=settings["tags"])
        if settings["insights"]:
            self._put_insights(table, settings)

    def _put_insights(self, table: str, settings: dict[str, Any]) -> None:
        mode = {"ContributorInsightsMode": settings["insights_mode"]} if settings["insights_mode"] else {}
        for index in (None, *settings["indexes"]):
            where = {"TableName": table} | ({"IndexName": index} if index else {})
            if self.client.describe_contributor_insights(**where)["ContributorInsightsStatus"] not in _TTL_ENABLED:
                self.client.update_contributor_insights(**where, ContributorInsightsAction="ENABLE", **mode)

    def restore_to_point_in_time(self, source: str, target: str, at: datetime) -> None:
        """Restore a table as of a moment to a new table."""
        if not self.exists(target):
            self.client.restore_table_to_point_in_time(
                SourceTableName=source, TargetTableName=target, RestoreDateTime=at
            )
        self._until_active(target)

    def back_up(self, table: str) -> str:
        """Back a table up and return the ARN of the backup."""
        name = f"{table}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
        made = self._once_enabled(lambda: self.client.create_backup(TableName=table, BackupName=name))
        arn: str = made["BackupDetails"]["BackupArn"]
        while not self.is_available(arn):
            self.pause()
        return arn

    def _once_enabled(self, call: Callable[[], Any]) -> Any:
        """Return the result of a call, repeated while backups of a table that was just restored are being enabled."""
        while True:
            try:
                return call()
            except self.client.exceptions.ContinuousBackupsUnavailableException:
                self.pause()

    def delete(self, table: str) -> None:
        """Delete a table, protected or not."""
        if self.exists(table):
            described = self.client.describe_table(TableName=table)["Table"]
            if described.get("DeletionProtectionEnabled"):
                self.client.update_table(TableName=table, DeletionProtectionEnabled=False)
                self._until_active(table)
            if described["TableStatus"] != "DELETING":
                self.client.delete_table(TableName=table)
        while self.exists(table):
            self.pause()

    def restore_from_backup(self, table: str, backup: str) -> None:
        """Restore a backup to a new table."""
        if not self.exists(table):
            self.client.restore_table_from_backup(TargetTableName=table, BackupArn=backup)
        self._until_active(table)

    def exists(self, table: str) -> bool:
        """Return whether a table exists, even if it is being deleted."""
        try:
            self.client.describe_table(TableName=table)
        except self.client.exceptions.ResourceNotFoundException:
            return False
        return True

    def _until_active(self, table: str) -> None:
        while True:
            described = self.client.describe_table(TableName=table)["Table"]
            indexes = [index.get("IndexStatus", "ACTIVE") for index in described.get("GlobalSecondaryIndexes", [])]
            if {described["TableStatus"], *indexes} == {"ACTIVE"}:
                return
            self.pause()

    def is_available(self, backup: str) -> bool:
        """Return whether a backup can be restored."""
        described = self.client.describe_backup(BackupArn=backup)["BackupDescription"]
        return bool(described["BackupDetails"]["BackupStatus"] == "AVAILABLE")

    def _tags(self, arn: str) -> Iterator[dict[str, str]]:
        """Yield the tags that are not AWS's own, which only AWS can set."""
        more: dict[str, str] = {}
        while True:
            page = self.client.list_tags_of_resource(ResourceArn=arn, **more)
            yield from (tag for tag in page["Tags"] if not tag["Key"].startswith("aws:"))
            if "NextToken" not in page:
                return
            more = {"NextToken": page["NextToken"]}
