"""Tests of the synthesized template: functions, roles, table, pool."""

import json
from typing import Any

from domain.identity.permissions import Permission
from handlers.http.declaration import SIGNED
from handlers.invocations.trigger import TriggerSource
from handlers.registry import RouteFunction, all_functions, functions, triggers
from handlers.triggers.relay_events import RECORDS
from infra.bundling import GROUPS
from infra.templates import Synthesized
from repositories.dynamodb.iam_actions import IamAction
from repositories.dynamodb.schema import INDEXES
from tests.infra.template import Template, as_list, resources, synth
from tests.policies import counts_only

TriggersOfPool = [
    each
    for each in triggers()
    if each.trigger.source
    in {TriggerSource.PRE_SIGN_UP, TriggerSource.PRE_TOKEN_GENERATION, TriggerSource.POST_CONFIRMATION}
]


READING_SECRETS = {
    IamAction.LIST,
    IamAction.LIST_BELOW,
    IamAction.SIGN,
    IamAction.ROTATE,
    IamAction.SIGN_WEBHOOKS,
    IamAction.PROVIDER_SECRETS,
}
READS = {IamAction.GET.value, IamAction.BATCH_GET.value, IamAction.QUERY.value}


def statements(template: Template, function: str) -> list[dict[str, Any]]:
    [policy] = resources(template, "AWS::IAM::Role")[f"{function}Role"]["Policies"]
    return [each for each in policy["PolicyDocument"]["Statement"] if not counts_only(each)]


def test_each_route_is_one_function_with_a_stable_name(dev: Template) -> None:
    deployed = resources(dev, "AWS::Lambda::Function")
    assert set(deployed) == {each.name for each in all_functions()}
    for function in functions():
        properties = deployed[function.name]
        assert properties["Handler"] == f"{function.module}.handler"
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["MemorySize"] >= 512
        assert properties["Description"] == f"{function.declaration.method} {function.path}"
    codes = {function.size.packages: deployed[function.name]["Code"] for function in all_functions()}
    assert {*codes} == {"", *GROUPS}
    for each in all_functions():
        properties = deployed[each.name]
        assert properties["Code"] == codes[each.size.packages]
        assert (properties["MemorySize"], properties["Timeout"]) == (each.size.memory_mb, each.size.seconds)


def test_the_api_invokes_the_functions_of_routes_in_one_role(dev: Template, prod: Template) -> None:
    for template, stage, alias in ((dev, "dev", ""), (prod, "prod", ":live")):
        [api] = resources(template, "AWS::ApiGateway::RestApi").values()
        assert api["Mode"] == "overwrite"
        by_operation = {
            operation["operationId"]: operation["x-amazon-apigateway-integration"]
            for operations in api["Body"]["paths"].values()
            for operation in operations.values()
            if isinstance(operation, dict) and "operationId" in operation
        }
        assert set(by_operation) == {function.operation_id for function in functions()}
        for function in functions():
            uri = json.dumps(by_operation[function.operation_id]["uri"])
            assert f":function:Tradepost-{stage}-{function.name}{alias}/invocations" in uri
        [role] = {json.dumps(each["credentials"]) for each in by_operation.values()}
        [policy] = resources(template, "AWS::IAM::Role")[json.loads(role)["Fn::GetAtt"][0]]["Policies"]
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Action"] == "lambda:InvokeFunction"
        assert json.dumps(statement["Resource"]).endswith(f':function:Tradepost-{stage}-*{alias}"]]}}')


def test_the_api_is_deployed_after_the_functions_that_it_calls(prod_app: Synthesized) -> None:
    for resource in prod_app.root["Resources"].values():
        if resource["Type"] in {"AWS::ApiGateway::RestApi", "AWS::ApiGateway::Deployment"}:
            assert set(prod_app.nested) <= set(resource["DependsOn"])


def test_a_change_of_the_api_is_deployed(dev: Template) -> None:
    """API Gateway serves the last deployment, so that the deployment must be another one if the definition is."""
    other = synth(cors="https://shop.example")
    names = [set(resources(template, "AWS::ApiGateway::Deployment")) for template in (dev, other)]
    assert not names[0] & names[1]


def test_a_role_can_do_what_its_route_declares_and_no_more(dev: Template) -> None:
    for function in all_functions():
        allowed: set[tuple[str, str]] = set()
        for statement in statements(dev, function.name):
            assert statement["Effect"] == "Allow"
            if statement["Action"] == "dynamodb:ListStreams":
                continue  # it takes no resource, and its role reads the stream
            assert "*" not in as_list(statement["Resource"])
            indexes = [name for name in INDEXES if f"/index/{name}" in json.dumps(statement["Resource"])]
            for action in as_list(statement["Action"]):
                assert "*" not in action
                allowed |= {(action, index) for index in indexes or [""]}
        on_rows = {action for action, index in allowed if action.startswith("dynamodb:") and not index}
        table = on_rows - {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
        access = function.iam_actions
        assert table == {each.value for each in access if each.service == "dynamodb"}
        pool = {action for action, _ in allowed if action.startswith("cognito-idp:")}
        assert pool == {each.value for each in access if each.service == "cognito-idp"}
        on_indexes = {index for action, index in allowed if action == "dynamodb:Query" and index}
        assert on_indexes == {each.on_index for each in access if each.on_index in INDEXES}
        assert "dynamodb:Scan" not in {action for action, _ in allowed}
        reads_secret = bool(READING_SECRETS & access)
        assert (("secretsmanager:GetSecretValue", "") in allowed) == reads_secret
        sets_secrets = IamAction.SET_PROVIDER_SECRETS in access
        assert (("secretsmanager:PutSecretValue", "") in allowed) == (sets_secrets or IamAction.ROTATE in access)
        if isinstance(function, RouteFunction) and function.declaration.method == "GET":
            assert table <= READS
            assert not pool


def test_the_table(dev: Template, prod: Template) -> None:
    for template, kept in ((dev, False), (prod, True)):
        [table] = [each for each in template["Resources"].values() if each["Type"] == "AWS::DynamoDB::GlobalTable"]
        properties, [replica] = table["Properties"], table["Properties"]["Replicas"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
        assert properties["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
        assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert replica["DeletionProtectionEnabled"] is kept
        assert table["DeletionPolicy"] == ("Retain" if kept else "Delete")
        indexes = {each["IndexName"]: each["Projection"] for each in properties["GlobalSecondaryIndexes"]}
        assert indexes == {
            "gsi1": {"NonKeyAttributes": ["head"], "ProjectionType": "INCLUDE"},
            "gsi2": {"NonKeyAttributes": ["head"], "ProjectionType": "INCLUDE"},
            "gsi3": {"ProjectionType": "KEYS_ONLY"},
        }


def test_the_user_pool(prod: Template) -> None:
    [pool] = resources(prod, "AWS::Cognito::UserPool").values()
    [tenant] = [each for each in pool["Schema"] if each["Name"] == "tenant_id"]
    assert tenant["Mutable"] is False
    assert pool["MfaConfiguration"] == "OPTIONAL"
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12
    assert pool["DeletionProtection"] == "ACTIVE"
    groups = {each["GroupName"] for each in resources(prod, "AWS::Cognito::UserPoolGroup").values()}
    assert groups == {"owner", "staff", "customer"}
    [client] = resources(prod, "AWS::Cognito::UserPoolClient").values()
    assert client["GenerateSecret"] is False
    assert "custom:tenant_id" not in client["WriteAttributes"]
    assert "AllowedOAuthFlows" not in client
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}


def test_the_pool_calls_its_triggers(dev: Template) -> None:
    [pool] = resources(dev, "AWS::Cognito::UserPool").values()
    called = {source.lower(): target["Fn::GetAtt"][0] for source, target in pool["LambdaConfig"].items()}
    assert called == {each.trigger.source.value.lower(): each.name for each in TriggersOfPool}


def test_in_prod_a_function_reaches_the_rows_of_one_tenant(dev: Template, prod: Template) -> None:
    assert not [name for name in resources(dev, "AWS::IAM::Role") if name.endswith("ScopedRole")]
    roles = resources(prod, "AWS::IAM::Role")
    for function in functions():
        tenant_roles = function.declaration.permission == SIGNED or isinstance(
            function.declaration.permission, Permission
        )
        assert (f"{function.name}ScopedRole" in roles) == tenant_roles
        own = json.dumps(roles[f"{function.name}Role"])
        if not tenant_roles:
            continue
        assert "dynamodb:" not in own
        [policy] = roles[f"{function.name}ScopedRole"]["Policies"]
        own_rows, usage = "T#${aws:PrincipalTag/tenant}#*", "T#${aws:PrincipalTag/tenant}#USAGE"
        for statement in policy["PolicyDocument"]["Statement"]:
            if as_list(statement["Action"])[0].startswith("secretsmanager:"):
                assert ":secret:tradepost/prod/${aws:PrincipalTag/tenant}/*" in json.dumps(statement["Resource"])
                continue
            if as_list(statement["Action"])[0].startswith("s3:"):
                assert "/exports/${aws:PrincipalTag/tenant}/*" in json.dumps(statement["Resource"])
                continue
            [(operator, condition)] = statement["Condition"].items()
            assert operator == "ForAllValues:StringLike"
            assert condition == {"dynamodb:LeadingKeys": [usage if counts_only(statement) else own_rows]}
            if counts_only(statement):
                assert statement["Action"] == ["dynamodb:PutItem", "dynamodb:UpdateItem"]


def test_functions_count_the_time_of_tenants_where_it_is_limited(dev: Template, prod: Template) -> None:
    limited = synth(tenant_concurrency="5")
    for template, limit in ((dev, None), (prod, "100"), (limited, "5")):
        deployed = resources(template, "AWS::Lambda::Function")
        for function in functions():
            expected = limit if isinstance(function.declaration.permission, Permission) else None
            assert deployed[function.name]["Environment"]["Variables"].get("TENANT_CONCURRENCY") == expected
    [policy] = resources(limited, "AWS::IAM::Role")["GetItemRole"]["Policies"]
    [counting] = [each for each in policy["PolicyDocument"]["Statement"] if counts_only(each)]
    assert counting["Action"] == ["dynamodb:PutItem", "dynamodb:UpdateItem"]


def test_scheduled_functions_are_called_and_failed_calls_are_kept(dev: Template) -> None:
    schedules = resources(dev, "AWS::Scheduler::Schedule").values()
    scheduled = [each for each in triggers() if each.trigger.source is TriggerSource.SCHEDULE]
    rates = {each["Target"]["Arn"]["Fn::GetAtt"][0]: each["ScheduleExpression"] for each in schedules}
    assert rates == {
        "ExpireHolds": "rate(1 minute)",
        "SweepDeliveries": "rate(1 minute)",
        "SweepExports": "rate(5 minutes)",
        "SweepPayments": "rate(1 minute)",
        "RelayLostEvents": "rate(1 hour)",
    }
    assert rates.keys() == {each.name for each in scheduled}
    failed = {"Fn::GetAtt": ["FailedCalls", "Arn"]}
    assert all(each["Target"]["DeadLetterConfig"] == {"Arn": failed} for each in schedules)
    invoked = resources(dev, "AWS::Lambda::EventInvokeConfig").values()
    assert len(invoked) == len(scheduled)
    assert all(each["DestinationConfig"]["OnFailure"] == {"Destination": failed} for each in invoked)
    for function in scheduled:
        sends = [action for each in statements(dev, function.name) for action in as_list(each["Action"])]
        assert "sqs:SendMessage" in sends


def test_the_stream_calls_the_relay_with_what_it_relays(dev: Template) -> None:
    [mapping] = [
        each for each in resources(dev, "AWS::Lambda::EventSourceMapping").values() if "StartingPosition" in each
    ]
    assert mapping["FunctionName"] == {"Ref": "RelayEvents"}
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["Table", "StreamArn"]}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert (mapping["MaximumRecordAgeInSeconds"], mapping["MaximumRetryAttempts"]) == (3600, 10)
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["LostRecords", "Arn"]}}}
    assert "FunctionResponseTypes" not in mapping  # a failure fails the batch
    patterns = [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]
    assert patterns == [
        {"eventName": list(changes), "dynamodb": {"NewImage": {"type": {"S": [kind]}}}}
        for kind, changes in RECORDS.items()
    ]
