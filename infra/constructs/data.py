"""Stateful resources, which must survive every deployment: the table, keys, and files of exports."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from domain.exports import KEPT
from infra.constructs.buckets import private_bucket
from infra.nag import acknowledge
from infra.naming import set_logical_id
from infra.stages import Stage
from repositories.dynamodb.schema import INDEXES, TTL_ATTRIBUTE, key_names


class Data(Construct):
    """Table, and the secrets with the keys that sign cursors and webhooks."""

    def __init__(self, scope: Construct, stage: Stage) -> None:
        super().__init__(scope, "Data")
        partition, sort = key_names()
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(partition),
            sort_key=_text(sort),
            billing=dynamodb.Billing.on_demand(),
            global_secondary_indexes=[_index(name, shown, stage) for name, shown in INDEXES.items()],
            warm_throughput=_warm(stage),
            contributor_insights_specification=_hot_keys(stage),
            time_to_live_attribute=TTL_ATTRIBUTE,
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=stage.production,
            removal_policy=stage.removal_policy,
        )
        set_logical_id(self.table, "Table")
        self.cursor_secret = secretsmanager.Secret(
            self,
            "CursorKeys",
            description="Keys that sign list cursors, newest first, separated by commas",
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=64),
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.export_bucket = _export_bucket(self, stage)
        if not stage.production:
            acknowledge(self.cursor_secret, "AwsSolutions-SMG4", "Rotated in prod")
        self.webhook_secret = secretsmanager.Secret(
            self,
            "WebhookKey",
            description="Key from which the secrets of webhook endpoints are derived",
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=64),
            removal_policy=stage.removal_policy,
        )
        acknowledge(self.webhook_secret, "AwsSolutions-SMG4", "With another key, no receiver could verify anything")

    @property
    def stream_arn(self) -> str:
        """ARN of the table's stream."""
        if self.table.table_stream_arn is None:
            raise ValueError("the table has no stream")
        return self.table.table_stream_arn

    def rotate_by(self, function: lambda_.IFunction) -> None:
        """Rotate the keys every 30 days with a rotation function."""
        self.cursor_secret.add_rotation_schedule(
            "Rotation", rotation_lambda=function, automatically_after=Duration.days(30)
        )


def _export_bucket(scope: Construct, stage: Stage) -> s3.Bucket:
    """Return the bucket with the files of exports, which S3 deletes after a week."""
    rule = s3.LifecycleRule(
        expiration=Duration.days(KEPT.days), abort_incomplete_multipart_upload_after=Duration.days(1)
    )
    return private_bucket(
        scope,
        "ExportFiles",
        stage,
        logical_id="ExportFiles",
        rules=[rule],
        without_access_logs="Functions log who asks for download URLs, which work for minutes",
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _warm(stage: Stage) -> dynamodb.WarmThroughput | None:
    """Return the throughput for which table and indexes are ready at once; each index has its own."""
    if not stage.warm_reads and not stage.warm_writes:
        return None
    return dynamodb.WarmThroughput(
        read_units_per_second=stage.warm_reads or None, write_units_per_second=stage.warm_writes or None
    )


def _hot_keys(stage: Stage) -> dynamodb.ContributorInsightsSpecification | None:
    """Return the setting that reports the keys of throttled requests in prod: nothing else names a hot key."""
    if not stage.production:
        return None
    return dynamodb.ContributorInsightsSpecification(enabled=True, mode=dynamodb.ContributorInsightsMode.THROTTLED_KEYS)


def _index(name: str, shown: list[str], stage: Stage) -> dynamodb.GlobalSecondaryIndexPropsV2:
    partition, sort = key_names(name)
    kind = dynamodb.ProjectionType.INCLUDE if shown else dynamodb.ProjectionType.KEYS_ONLY
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=_text(partition),
        sort_key=_text(sort),
        projection_type=kind,
        non_key_attributes=shown or None,
        warm_throughput=_warm(stage),
    )
