"""Tests of what happens with events and exports after they were written: queues, workers, files."""

import json

from cli.table_export import PREFIX
from domain.event_types import Event
from infra.templates import synthesize
from tests.infra.template import Template, as_list, resources
from tests.policies import POLICIES, granted


def test_queues_call_their_functions_and_keep_what_failed(dev: Template) -> None:
    queues = resources(dev, "AWS::SQS::Queue")
    for queue, function, batch in (("EventsQueue", "HandleEvents", 10), ("DeliveriesQueue", "DeliverWebhooks", 1)):
        [mapping] = [
            each
            for each in resources(dev, "AWS::Lambda::EventSourceMapping").values()
            if each["EventSourceArn"] == {"Fn::GetAtt": [queue, "Arn"]}
        ]
        assert mapping["FunctionName"] == {"Ref": function}
        assert (mapping["BatchSize"], mapping["FunctionResponseTypes"]) == (batch, ["ReportBatchItemFailures"])
        assert queues[queue]["VisibilityTimeout"] >= 6 * 20
        failed = queues[queue]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        assert failed == f"Failed{queue.removesuffix('Queue')}"
        assert queues[failed].get("FifoQueue") == queues[queue].get("FifoQueue")
    assert queues["EventsQueue"]["FifoQueue"] is True


def test_the_exporter_reads_one_tenant_and_changes_exports_only(prod: Template) -> None:
    [policy] = resources(prod, "AWS::IAM::Role")["WriteExportsScopedRole"]["Policies"]
    tenant = "T#${aws:PrincipalTag/tenant}#"
    reached = {
        action: statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    }
    assert reached.pop("dynamodb:PutItem") == [f"{tenant}EXPORT*", f"{tenant}EVENT*"]
    assert reached.pop("s3:PutObject") is None
    assert set(map(str, reached.values())) == {str([f"{tenant}*"])}
    assert {*reached} == {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
    assert "dynamodb:" not in json.dumps(resources(prod, "AWS::IAM::Role")["WriteExportsRole"])


def test_files_of_exports_are_private_encrypted_and_deleted(dev: Template, prod: Template) -> None:
    for template in (dev, prod):
        bucket = resources(template, "AWS::S3::Bucket")["ExportFiles"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]
        [rule, *_] = bucket["LifecycleConfiguration"]["Rules"]
        assert (rule["ExpirationInDays"], rule["Status"]) == (7, "Enabled")
        assert template["Resources"]["ExportFiles"]["DeletionPolicy"] == "Retain"
        [policy] = resources(template, "AWS::S3::BucketPolicy").values()
        assert "aws:SecureTransport" in json.dumps(policy)
    queue = resources(dev, "AWS::SQS::Queue")["ExportsQueue"]
    assert queue["VisibilityTimeout"] > resources(dev, "AWS::Lambda::Function")["WriteExports"]["Timeout"]


def test_events_can_be_replayed_on_the_bus_in_prod(dev: Template, prod: Template) -> None:
    assert len(resources(dev, "AWS::Events::EventBus")) == 1
    assert not resources(dev, "AWS::Events::Archive")
    [archive] = resources(prod, "AWS::Events::Archive").values()
    assert archive["RetentionDays"] == 30


def test_the_deliverer_reads_endpoints_and_deliveries_only(dev: Template, prod: Template) -> None:
    for template, role, tenant in (
        (dev, "DeliverWebhooksRole", "*"),
        (prod, "DeliverWebhooksScopedRole", "${aws:PrincipalTag/tenant}"),
    ):
        [policy] = resources(template, "AWS::IAM::Role")[role]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = as_list(statement["Action"])
            if not any(action.startswith("dynamodb:") for action in actions):
                continue
            keys = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
            also = [f"T#{tenant}#EVENT*"] if actions == ["dynamodb:PutItem"] else []
            assert keys == [f"T#{tenant}#HOOK*", *also]
    assert "dynamodb:" not in json.dumps(resources(prod, "AWS::IAM::Role")["DeliverWebhooksRole"])


def test_roles_grant_what_was_committed() -> None:
    """Policy changes show in code review: `uv run python -m tests.policies` rewrites the file."""
    assert granted() == json.loads(POLICIES.read_text()), "run `uv run python -m tests.policies` and look at the diff"


def test_the_lake_gets_every_event_and_reads_exported_tables() -> None:
    app = synthesize({"lake": "on"})
    template = app.whole
    [stream] = resources(template, "AWS::KinesisFirehose::DeliveryStream").values()
    destination = stream["ExtendedS3DestinationConfiguration"]
    assert destination["Prefix"] == "events/day=!{timestamp:yyyy-MM-dd}/"
    schema = destination["DataFormatConversionConfiguration"]["SchemaConfiguration"]
    tables = {
        each["TableInput"]["Name"]: each["TableInput"] for each in resources(template, "AWS::Glue::Table").values()
    }
    assert (schema["DatabaseName"], schema["TableName"]) == ("tradepost_dev", "events")
    assert {column["Name"] for column in tables["events"]["StorageDescriptor"]["Columns"]} == {
        name for name in Event.model_fields if name not in {"specversion", "datacontenttype"}
    }
    place = json.dumps(tables["exported_rows"]["Parameters"]["storage.location.template"])
    assert f"/{PREFIX}/AWSDynamoDB/${{export_id}}/data" in place
    [rule] = [each for each in resources(template, "AWS::Events::Rule").values() if "EventBusName" in each]
    assert rule["Targets"][0]["InputPath"] == "$.detail"
    assert {"LakeBucket", "LakeDatabase"} <= set(app.root["Outputs"])
    assert not resources(synthesize({}).whole, "AWS::KinesisFirehose::DeliveryStream")
