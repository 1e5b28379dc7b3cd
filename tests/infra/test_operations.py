"""Tests of the synthesized template: monitoring, releases, limits, switches."""

import json

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

from handlers.registry import ROOT, functions, triggers
from handlers.triggers.trigger import TriggerSource
from infra.app import synthesize
from infra.constructs.releases import BUSINESS, TROUBLE
from repositories.dynamodb.schema import INDEXES
from tests.infra.template import Template, resources, synth

REGION = ManualArgs(regions=["eu-west-1"])


def test_the_stage_is_throttled_and_logs_json(dev: Template) -> None:
    [stage] = resources(dev, "AWS::ApiGateway::Stage").values()
    [settings] = stage["MethodSettings"]
    assert settings["ThrottlingRateLimit"] > 0
    assert not settings["DataTraceEnabled"]
    assert set(json.loads(stage["AccessLogSetting"]["Format"])) >= {"request_id", "status", "path"}


def test_a_path_cannot_break_out_of_an_answer_to_an_unknown_one(dev: Template) -> None:
    """The caller controls the path: quotes in it are escaped as in JSON."""
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
        # No part of the request that may contain quotes: nothing can be escaped here.
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


def test_in_prod_versions_take_over_bit_by_bit_and_are_taken_back(dev: Template, prod: Template) -> None:
    assert not resources(dev, "AWS::Lambda::Alias")
    aliases = {name: each for name, each in prod["Resources"].items() if each["Type"] == "AWS::Lambda::Alias"}
    called = len(functions()) + sum(each.trigger.source is TriggerSource.SCHEDULE for each in triggers())
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


def test_no_concurrency_is_reserved(prod: Template) -> None:
    """A new account has too little to reserve any, and two sweepers at once only read twice."""
    assert not any("ReservedConcurrentExecutions" in each for each in resources(prod, "AWS::Lambda::Function").values())


def test_earlier_versions_stay_in_prod(prod: Template) -> None:
    def policies(template: Template) -> set[str]:
        versions = (each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Version")
        return {each.get("DeletionPolicy", "Delete") for each in versions}

    assert policies(prod) == {"Retain"}
    assert policies(synth(stage="prod", snapstart="on")) == {"Delete"}


def test_a_deployment_can_replace_all_at_once(prod: Template) -> None:
    at_once = synth(stage="prod", gradual="off")
    assert not resources(at_once, "AWS::CodeDeploy::DeploymentGroup")
    assert set(resources(at_once, "AWS::Lambda::Alias")) == set(resources(prod, "AWS::Lambda::Alias"))


def test_e_mails_are_sent_by_ses_if_an_address_is_given(prod: Template) -> None:
    assert "EmailConfiguration" not in prod["Resources"]["UserPool"]["Properties"]
    [pool] = resources(synth(stage="prod", ses_from="shop@example.com"), "AWS::Cognito::UserPool").values()
    sending = pool["EmailConfiguration"]
    assert (sending["EmailSendingAccount"], sending["From"]) == ("DEVELOPER", "shop@example.com")


@pytest.mark.parametrize("context", [{}, {"stage": "prod", "cors": "https://shop.example"}])
def test_the_stack_fits_into_what_cloudformation_takes(context: dict[str, str]) -> None:
    assert len(synth(**context)["Resources"]) <= 500


def test_what_the_business_does_is_counted_from_its_lines(dev: Template) -> None:
    filters = resources(dev, "AWS::Logs::MetricFilter").values()
    counted = {each["MetricTransformations"][0]["MetricName"] for each in filters}
    assert counted == set(BUSINESS) | set(TROUBLE)


def test_in_prod_everything_is_watched() -> None:
    assembly = synthesize({"stage": "prod", "alarm_email": "ops@example.com"})
    template = assembly.get_stack_by_name("Tradepost-prod-Monitoring").template
    [topic] = resources(template, "AWS::SNS::Topic")
    [subscription] = resources(template, "AWS::SNS::Subscription").values()
    assert subscription["Endpoint"] == "ops@example.com"
    [policy] = resources(template, "AWS::SNS::TopicPolicy").values()
    allowed = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]
    assert [each["Principal"] for each in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]
    assert allowed[0]["Action"] == "sns:Publish"
    alarms = resources(template, "AWS::CloudWatch::Alarm")
    assert all(each["AlarmActions"] == [{"Ref": topic}] for each in alarms.values())
    names = {each["AlarmName"].removeprefix("Tradepost-prod-"): each for each in alarms.values()}
    assert {"ApiFailures", "ApiRefusals", "TriggerFailures", "Concurrency", "FailedCalls", "Contention"} <= set(names)
    assert {f"{index.title()}WriteThrottleEvents" for index in INDEXES} <= set(names)
    assert len(names) <= 40
    missing = names["ExpireHoldsMissing"]
    assert (missing["TreatMissingData"], missing["ComparisonOperator"]) == ("breaching", "LessThanThreshold")
    documented = (ROOT / "docs" / "operations.md").read_text()
    assert [name for name in names if f"`{name}`" not in documented] == []
    [dashboard] = resources(template, "AWS::CloudWatch::Dashboard").values()
    assert "SEARCH" in json.dumps(dashboard)
    assert [each for each in lint(json.dumps(template), config=REGION) if each.rule.id.startswith("E")] == []


def test_monitoring_does_not_grow_with_the_number_of_functions() -> None:
    template = synthesize({"stage": "prod"}).get_stack_by_name("Tradepost-prod-Monitoring").template
    assert not any(function.name in json.dumps(template) for function in functions())
    assert len(json.dumps(template)) < 100_000


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
