"""Nested stack for analysis beyond one tenant's exports: events as Parquet, and tables for Athena.

The bus sends every event to a Firehose stream, which writes Parquet files by day. A second table reads exports of the
whole DynamoDB table to S3, which `tradepost export-table` begins.
"""

from typing import Any

from aws_cdk import Aws, CfnOutput, Duration, NestedStack
from aws_cdk import aws_events as events
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.buckets import private_bucket
from infra.nag import acknowledge
from infra.stages import Stage

EVENTS, EXPORTED = "events", "exported_rows"
"""Tables of the Glue database, and prefixes of their files."""
_BUFFER_SECONDS, _BUFFER_MB = 300, 128
"""Firehose writes a file after five minutes or 128 MB."""
_FIRST_DAY = "2026-11-01"
_HIVE = "org.apache.hadoop.hive.ql.io"
"""Package of file formats (Athena user guide, "Supported data formats")."""
_JSON_SERDE = "org.openx.data.jsonserde.JsonSerDe"
_PARQUET_SERDE = f"{_HIVE}.parquet.serde.ParquetHiveSerDe"
_COLUMNS = {
    "id": "string",
    "source": "string",
    "type": "string",
    "subject": "string",
    "time": "string",
    "sequence": "string",
    "dataschema": "string",
    "data": "string",
}
_ROW = (
    "struct<pk:struct<S:string>,sk:struct<S:string>,type:struct<S:string>,version:struct<N:string>,"
    "head:struct<M:struct<id:struct<S:string>,customer_id:struct<S:string>,status:struct<S:string>,"
    "total:struct<N:string>,currency:struct<S:string>,created_at:struct<S:string>,updated_at:struct<S:string>>>>"
)
"""What queries read of a row in DynamoDB JSON (DynamoDB developer guide, "Exported data formats")."""


class Lake(NestedStack):
    """Bucket, Glue database with two tables, and the stream of events."""

    def __init__(self, scope: Construct, stage: Stage, bus: events.IEventBus) -> None:
        super().__init__(scope, "Lake", description="Events as Parquet, and tables for Athena")
        self.bucket = self._bucket(stage)
        self.database = f"tradepost_{stage.name}"
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.database, description=f"Data of Tradepost ({stage.name})"
            ),
        )
        for made in (self._events_table(), self._rows_table()):
            made.node.add_dependency(database)
        stream = self._stream(stage)
        events.CfnRule(
            self,
            "AllEvents",
            event_bus_name=bus.event_bus_name,
            description="All events, as they are in the feed, to the lake",
            event_pattern={"account": [Aws.ACCOUNT_ID]},
            targets=[
                events.CfnRule.TargetProperty(
                    arn=stream.attr_arn, id="Lake", input_path="$.detail", role_arn=self._sender(stream).role_arn
                )
            ],
        )
        CfnOutput(
            scope, "LakeBucket", value=self.bucket.bucket_name, description="Bucket of events and exported tables"
        )
        CfnOutput(scope, "LakeDatabase", value=self.database, description="Glue database for Athena")

    def _bucket(self, stage: Stage) -> s3.Bucket:
        rules = [
            s3.LifecycleRule(prefix=f"{EXPORTED}/", expiration=Duration.days(30)),
            s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)),
        ]
        return private_bucket(
            self,
            "Files",
            stage,
            logical_id="LakeFiles",
            rules=rules,
            without_access_logs="What reads it is in the account's own trail, if that records data events",
        )

    def _events_table(self) -> glue.CfnTable:
        """Return the table of events: Parquet files by day, which Athena finds by their names."""
        return self._table(
            EVENTS,
            columns=_COLUMNS,
            serde=_PARQUET_SERDE,
            formats=(f"{_HIVE}.parquet.MapredParquetInputFormat", f"{_HIVE}.parquet.MapredParquetOutputFormat"),
            partition={"projection.day.type": "date", "projection.day.format": "yyyy-MM-dd"}
            | {"projection.day.range": f"{_FIRST_DAY},NOW"},
            key="day",
            location=f"{EVENTS}/day=${{day}}",
        )

    def _rows_table(self) -> glue.CfnTable:
        """Return the table of exported rows; queries name the export, whose id is in the path of its files."""
        return self._table(
            EXPORTED,
            columns={"item": _ROW},
            serde=_JSON_SERDE,
            formats=("org.apache.hadoop.mapred.TextInputFormat", f"{_HIVE}.HiveIgnoreKeyTextOutputFormat"),
            partition={"projection.export_id.type": "injected"},
            key="export_id",
            location=f"{EXPORTED}/AWSDynamoDB/${{export_id}}/data",
        )

    def _table(
        self,
        name: str,
        *,
        columns: dict[str, str],
        serde: str,
        formats: tuple[str, str],
        partition: dict[str, str],
        key: str,
        location: str,
    ) -> glue.CfnTable:
        root = f"s3://{self.bucket.bucket_name}"
        parameters: dict[str, Any] = {"projection.enabled": "true"} | partition
        parameters["storage.location.template"] = f"{root}/{location}"
        reads, writes = formats
        return glue.CfnTable(
            self,
            "".join(word.title() for word in name.split("_")),
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self.database,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                table_type="EXTERNAL_TABLE",
                parameters=parameters,
                partition_keys=[glue.CfnTable.ColumnProperty(name=key, type="string")],
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    columns=[glue.CfnTable.ColumnProperty(name=each, type=kind) for each, kind in columns.items()],
                    input_format=reads,
                    output_format=writes,
                    location=f"{root}/{name}/",
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=serde),
                ),
            ),
        )

    def _stream(self, stage: Stage) -> firehose.CfnDeliveryStream:
        role = self._stream_role()
        conversion = firehose.CfnDeliveryStream.DataFormatConversionConfigurationProperty(
            enabled=True,
            input_format_configuration=firehose.CfnDeliveryStream.InputFormatConfigurationProperty(
                deserializer=firehose.CfnDeliveryStream.DeserializerProperty(
                    open_x_json_ser_de=firehose.CfnDeliveryStream.OpenXJsonSerDeProperty()
                )
            ),
            output_format_configuration=firehose.CfnDeliveryStream.OutputFormatConfigurationProperty(
                serializer=firehose.CfnDeliveryStream.SerializerProperty(
                    parquet_ser_de=firehose.CfnDeliveryStream.ParquetSerDeProperty(compression="SNAPPY")
                )
            ),
            schema_configuration=firehose.CfnDeliveryStream.SchemaConfigurationProperty(
                catalog_id=Aws.ACCOUNT_ID,
                database_name=self.database,
                table_name=EVENTS,
                region=Aws.REGION,
                role_arn=role.role_arn,
                version_id="LATEST",
            ),
        )
        stream = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_name=f"tradepost-{stage.name}-events",
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
            ),
            extended_s3_destination_configuration=firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty(
                bucket_arn=self.bucket.bucket_arn,
                role_arn=role.role_arn,
                prefix=f"{EVENTS}/day=!{{timestamp:yyyy-MM-dd}}/",
                error_output_prefix="failed/!{firehose:error-output-type}/!{timestamp:yyyy-MM-dd}/",
                buffering_hints=firehose.CfnDeliveryStream.BufferingHintsProperty(
                    interval_in_seconds=_BUFFER_SECONDS, size_in_m_bs=_BUFFER_MB
                ),
                data_format_conversion_configuration=conversion,
            ),
        )
        stream.node.add_dependency(*(each for each in self.node.children if isinstance(each, glue.CfnTable)))
        return stream

    def _sender(self, stream: firehose.CfnDeliveryStream) -> iam.Role:
        """Return the role in which the bus sends events to the stream."""
        sending = iam.PolicyStatement(
            actions=["firehose:PutRecord", "firehose:PutRecordBatch"], resources=[stream.attr_arn]
        )
        return iam.Role(
            self,
            "SenderRole",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            inline_policies={"Lake": iam.PolicyDocument(statements=[sending])},
        )

    def _stream_role(self) -> iam.Role:
        files = iam.PolicyStatement(
            actions=["s3:AbortMultipartUpload", "s3:GetBucketLocation", "s3:ListBucket", "s3:PutObject"],
            resources=[self.bucket.bucket_arn, self.bucket.arn_for_objects("*")],
        )
        catalog = f"arn:{Aws.PARTITION}:glue:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        names = ("catalog", f"database/{self.database}", f"table/{self.database}/{EVENTS}")
        schema = iam.PolicyStatement(
            actions=["glue:GetTable", "glue:GetTableVersion", "glue:GetTableVersions"],
            resources=[f"{catalog}:{name}" for name in names],
        )
        role = iam.Role(
            self,
            "StreamRole",
            assumed_by=iam.ServicePrincipal("firehose.amazonaws.com"),
            inline_policies={"Lake": iam.PolicyDocument(statements=[files, schema])},
        )
        acknowledge(role, "AwsSolutions-IAM5[Resource::<LakeFiles.Arn>/*]", "Firehose names the files that it writes")
        return role
