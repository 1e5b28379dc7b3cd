"""The synthesized template, as CloudFormation would get it."""

import json
from collections import Counter
from typing import Any

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from domain.identity.permissions import Permission
from handlers.http.route import IAM, PUBLIC
from handlers.registry import Function, all_functions, functions, triggers
from handlers.triggers.trigger import Source
from infra.app import synthesize
from repositories.dynamodb.iam_actions import Access
from repositories.dynamodb.schema import INDEXES

type Template = dict[str, Any]

REGION = ManualArgs(regions=["eu-west-1"])
TriggersOfPool = [each for each in triggers() if each.trigger.source not in {Source.SECRET_ROTATION, Source.SCHEDULE}]
READS = {Access.GET.value, Access.BATCH_GET.value, Access.QUERY.value}


def synth(**context: str) -> Template:
    template: Template = synthesize(context).get_stack_by_name(f"Tradepost-{context.get('stage', 'dev')}").template
    return template


@pytest.fixture(scope="module")
def dev() -> Template:
    return synth()


@pytest.fixture(scope="module")
def prod() -> Template:
    return synth(stage="prod")


def resources(template: Template, kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def statements(template: Template, function: str) -> list[dict[str, Any]]:
    [policy] = resources(template, "AWS::IAM::Role")[f"{function}Role"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_each_route_is_one_function_with_a_stable_name(dev: Template) -> None:
    deployed = resources(dev, "AWS::Lambda::Function")
    assert set(deployed) == {each.name for each in all_functions()}
    for function in functions():
        properties = deployed[function.name]
        assert properties["Handler"] == f"{function.module}.handler"
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["MemorySize"] >= 512
        assert properties["Description"] == f"{function.operation.method} {function.path}"
    assert len({json.dumps(properties["Code"]) for properties in deployed.values()}) == 1


def test_each_function_has_one_method_and_others_are_refused(dev: Template) -> None:
    methods = resources(dev, "AWS::ApiGateway::Method").values()
    by_operation = {each["OperationName"]: each for each in methods if "OperationName" in each}
    assert set(by_operation) == {function.operation_id for function in functions()}
    for function in functions():
        method = by_operation[function.operation_id]
        assert method["HttpMethod"] == function.operation.method
        expected = {PUBLIC: "NONE", IAM: "AWS_IAM"}.get(function.operation.permission, "COGNITO_USER_POOLS")
        assert method["AuthorizationType"] == expected
    counts = Counter(each["HttpMethod"] for each in methods)
    assert counts["ANY"] == len({function.path for function in functions()}) + 1  # all other paths: 404
    permissions = resources(dev, "AWS::Lambda::Permission")
    assert len(permissions) == len(functions()) + len(TriggersOfPool)
    assert not any("test-invoke-stage" in json.dumps(each) for each in permissions.values())


def test_a_role_can_do_what_its_route_declares_and_no_more(dev: Template) -> None:
    for function in all_functions():
        allowed: set[tuple[str, str]] = set()
        for statement in statements(dev, function.name):
            assert statement["Effect"] == "Allow"
            assert "*" not in as_list(statement["Resource"])
            indexes = [name for name in INDEXES if f"/index/{name}" in json.dumps(statement["Resource"])]
            for action in as_list(statement["Action"]):
                assert "*" not in action
                allowed |= {(action, index) for index in indexes or [""]}
        table = {action for action, index in allowed if action.startswith("dynamodb:") and not index}
        access = function.access
        assert table == {each.value for each in access if each.service == "dynamodb"}
        pool = {action for action, _ in allowed if action.startswith("cognito-idp:")}
        assert pool == {each.value for each in access if each.service == "cognito-idp"}
        on_indexes = {index for action, index in allowed if action == "dynamodb:Query" and index}
        assert on_indexes == {each.value for each in access if each.value in INDEXES}
        assert [index for action, index in allowed if action == "dynamodb:Scan"] == ["gsi3"] * (Access.DUE in access)
        reads_secret = bool({Access.LIST, Access.SIGN, Access.ROTATE} & access)
        assert (("secretsmanager:GetSecretValue", "") in allowed) == reads_secret
        if isinstance(function, Function) and function.operation.method == "GET":
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


def test_the_stage_is_throttled_and_logs_json(dev: Template) -> None:
    [stage] = resources(dev, "AWS::ApiGateway::Stage").values()
    [settings] = stage["MethodSettings"]
    assert settings["ThrottlingRateLimit"] > 0
    assert not settings["DataTraceEnabled"]
    assert set(json.loads(stage["AccessLogSetting"]["Format"])) >= {"request_id", "status", "path"}


def test_a_path_cannot_break_out_of_an_answer_to_an_unknown_one(dev: Template) -> None:
    """The path is the caller's: a quote in it is escaped, as JSON has it."""
    methods = resources(dev, "AWS::ApiGateway::Method").values()
    answers = [each for method in methods for each in method["Integration"].get("IntegrationResponses", ())]
    templates = [template for each in answers for template in each.get("ResponseTemplates", {}).values()]
    assert len(templates) > 20
    escaped = """$util.escapeJavaScript($context.path).replaceAll("\\\\'", "'")"""
    for template in templates:
        assert "$context.path" not in template.replace(escaped, "")
        assert json.loads(template.replace(escaped, "/v1/x"))["instance"] == "/v1/x"


def test_answers_of_the_gateway_look_like_ours(dev: Template) -> None:
    responses = {each["ResponseType"]: each for each in resources(dev, "AWS::ApiGateway::GatewayResponse").values()}
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "THROTTLED", "REQUEST_TOO_LARGE"} <= set(responses)
    assert responses["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == "401"
    assert responses["WAF_FILTERED"]["StatusCode"] == "403"
    for response in responses.values():
        problem = json.loads(response["ResponseTemplates"]["application/json"])
        assert str(problem["status"]) == response["StatusCode"]
        # Nothing of the request that a caller could write quotes into: it cannot be escaped here.
        assert problem["request_id"] == "$context.requestId"
        assert "$context" not in json.dumps(problem).replace("$context.requestId", "")
        headers = response["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert headers["gatewayresponse.header.X-Request-Id"] == "context.requestId"


def test_tracing_is_a_switch(dev: Template, prod: Template) -> None:
    for template, mode in ((dev, None), (prod, "Active")):
        for function in resources(template, "AWS::Lambda::Function").values():
            assert function.get("TracingConfig", {}).get("Mode") == mode
            assert ("TRACING" in function["Environment"]["Variables"]) == (mode is not None)


def test_logs_end_and_the_address_is_told(dev: Template) -> None:
    for group in resources(dev, "AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] > 0
    assert {"ApiUrl", "UserPoolId", "UserPoolClientId", "TableName"} <= set(dev["Outputs"])


def test_a_synth_again_changes_nothing(dev: Template) -> None:
    assert synth() == dev


def test_unknown_stages_are_refused() -> None:
    for context in ({"stage": "test"}, {"tracing": "maybe"}):
        with pytest.raises(ValueError, match="must be"):
            synth(**context)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_cfn_lint_finds_no_error(stage: str, request: pytest.FixtureRequest) -> None:
    template: Template = request.getfixturevalue(stage)
    errors = [str(match) for match in lint(json.dumps(template), config=REGION) if match.rule.id.startswith("E")]
    assert errors == []


def test_the_pool_calls_its_triggers(dev: Template) -> None:
    [pool] = resources(dev, "AWS::Cognito::UserPool").values()
    called = {source.lower(): target["Fn::GetAtt"][0] for source, target in pool["LambdaConfig"].items()}
    assert called == {each.trigger.source.value.lower(): each.name for each in TriggersOfPool}


def test_in_prod_a_function_reaches_the_rows_of_one_tenant(dev: Template, prod: Template) -> None:
    assert not [name for name in resources(dev, "AWS::IAM::Role") if name.endswith("Fence")]
    roles = resources(prod, "AWS::IAM::Role")
    for function in functions():
        fenced = isinstance(function.operation.permission, Permission)
        assert (f"{function.name}Fence" in roles) == fenced
        own = json.dumps(roles[f"{function.name}Role"])
        if not fenced:
            continue
        assert "dynamodb:" not in own
        [policy] = roles[f"{function.name}Fence"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Condition"] == {
                "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["T#${aws:PrincipalTag/tenant}#*"]}
            }


def test_scheduled_functions_are_called_and_failed_calls_are_kept(dev: Template) -> None:
    [schedule] = resources(dev, "AWS::Scheduler::Schedule").values()
    [queue] = resources(dev, "AWS::SQS::Queue")
    target = schedule["Properties"]["Target"] if "Properties" in schedule else schedule["Target"]
    assert target["Arn"] == {"Fn::GetAtt": ["ExpireHolds", "Arn"]}
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [queue, "Arn"]}}
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    [invoked] = resources(dev, "AWS::Lambda::EventInvokeConfig").values()
    assert invoked["DestinationConfig"]["OnFailure"] == {"Destination": {"Fn::GetAtt": [queue, "Arn"]}}
    sends = [action for each in statements(dev, "ExpireHolds") for action in as_list(each["Action"])]
    assert "sqs:SendMessage" in sends


def test_in_prod_versions_take_over_bit_by_bit_and_are_taken_back(dev: Template, prod: Template) -> None:
    assert not resources(dev, "AWS::Lambda::Alias")
    aliases = {name: each for name, each in prod["Resources"].items() if each["Type"] == "AWS::Lambda::Alias"}
    called = len(functions()) + sum(each.trigger.source is Source.SCHEDULE for each in triggers())
    assert len(aliases) == len(resources(prod, "AWS::CodeDeploy::DeploymentGroup")) == called
    assert all("CodeDeployLambdaAliasUpdate" in each["UpdatePolicy"] for each in aliases.values())
    for group in resources(prod, "AWS::CodeDeploy::DeploymentGroup").values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert group["AlarmConfiguration"]["Enabled"]
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    for method in resources(prod, "AWS::ApiGateway::Method").values():
        if "OperationName" in method:
            assert any(alias in json.dumps(method["Integration"]["Uri"]) for alias in aliases)


def test_snap_start_is_a_switch(dev: Template) -> None:
    started = resources(synth(snapstart="on"), "AWS::Lambda::Function")
    assert all(each["SnapStart"] == {"ApplyOn": "PublishedVersions"} for each in started.values())
    assert not any("SnapStart" in each for each in resources(dev, "AWS::Lambda::Function").values())


def test_only_one_sweeper_runs_in_prod(prod: Template) -> None:
    reserved = {
        name: each["ReservedConcurrentExecutions"]
        for name, each in resources(prod, "AWS::Lambda::Function").items()
        if "ReservedConcurrentExecutions" in each
    }
    assert reserved == {"ExpireHolds": 1}


@pytest.mark.parametrize("context", [{}, {"stage": "prod", "cors": "https://shop.example"}])
def test_the_stack_fits_into_what_cloudformation_takes(context: dict[str, str]) -> None:
    assert len(synth(**context)["Resources"]) <= 500


def test_what_the_business_does_is_counted_from_its_lines(dev: Template) -> None:
    filters = resources(dev, "AWS::Logs::MetricFilter").values()
    counted = {each["MetricTransformations"][0]["MetricName"] for each in filters}
    assert counted == {"OrdersPlaced", "OrdersRefusedForStock", "Contention", "KeysReplayed"}


def test_in_prod_everything_is_watched() -> None:
    assembly = synthesize({"stage": "prod", "alarm_email": "ops@example.com"})
    template = assembly.get_stack_by_name("Tradepost-prod-Monitoring").template
    [topic] = resources(template, "AWS::SNS::Topic")
    [subscription] = resources(template, "AWS::SNS::Subscription").values()
    assert subscription["Endpoint"] == "ops@example.com"
    alarms = resources(template, "AWS::CloudWatch::Alarm")
    assert all(each["AlarmActions"] == [{"Ref": topic}] for each in alarms.values())
    names = [each["AlarmName"] for each in alarms.values()]
    for function in all_functions():
        for watched in ("Fault-Count", "Latency-P99", "Throttled-Count"):
            assert any(f"-{function.name}-" in name and watched in name for name in names), (function.name, watched)
    for watched in ("Api-", "FailedCalls", "TableReadThrottleEvents", "TableTransactionConflict", "Contention"):
        assert any(watched in name for name in names), watched
    assert resources(template, "AWS::CloudWatch::Dashboard")
    assert [each for each in lint(json.dumps(template), config=REGION) if each.rule.id.startswith("E")] == []


def test_the_firewall_and_the_rotation_are_for_prod(dev: Template, prod: Template) -> None:
    assert not resources(dev, "AWS::WAFv2::WebACL")
    [acl] = resources(prod, "AWS::WAFv2::WebACL").values()
    assert [rule["Name"] for rule in acl["Rules"]] == [
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "RateByAddress",
    ]
    assert len(resources(prod, "AWS::WAFv2::WebACLAssociation")) == 1
    assert not resources(dev, "AWS::SecretsManager::RotationSchedule")
    assert len(resources(prod, "AWS::SecretsManager::RotationSchedule")) == 1


def test_machine_clients_have_tiers(dev: Template) -> None:
    plans = resources(dev, "AWS::ApiGateway::UsagePlan")
    assert len(plans) == len(resources(dev, "AWS::ApiGateway::ApiKey")) == 3
    assert all(plan["Quota"]["Limit"] > 0 and plan["Throttle"]["RateLimit"] > 0 for plan in plans.values())
    required = synth(api_keys="on")
    for method in resources(required, "AWS::ApiGateway::Method").values():
        open_to_all = method["AuthorizationType"] == "NONE"
        assert method.get("ApiKeyRequired", False) is not open_to_all


def test_api_gateway_can_log_in_a_fresh_account(dev: Template) -> None:
    assert len(resources(dev, "AWS::ApiGateway::Account")) == 1
    assert not resources(synth(cloudwatch_role="off"), "AWS::ApiGateway::Account")
