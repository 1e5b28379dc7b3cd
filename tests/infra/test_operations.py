"""Tests of the synthesized template: monitoring, releases, limits, switches."""

import json

import pytest

from handlers.invocations.trigger import TriggerSource
from handlers.registry import ROOT, all_functions, functions, triggers
from infra.constructs.limits import TIERS
from infra.constructs.releases import BUSINESS, SWEEP_BEHIND, TROUBLE
from infra.stages import BUYING_PATH
from infra.templates import Synthesized, synthesize
from repositories.dynamodb.schema import INDEXES
from tests.infra.template import Template, resources, synth


def test_the_stage_is_throttled_and_logs_json(dev: Template) -> None:
    [stage] = resources(dev, "AWS::ApiGateway::Stage").values()
    assert all(each["ThrottlingRateLimit"] > 0 for each in stage["MethodSettings"])
    assert not any(each.get("DataTraceEnabled") for each in stage["MethodSettings"])
    assert set(json.loads(stage["AccessLogSetting"]["Format"])) >= {"request_id", "status", "path"}


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
    for context in ({"stage": "test"}, {"tracing": "maybe"}, {"warm_writes": "many"}):
        with pytest.raises(ValueError, match="must be"):
            synth(**context)


_OFTEN = {TriggerSource.SCHEDULE, TriggerSource.STREAM, TriggerSource.QUEUE}


def test_in_prod_versions_take_over_bit_by_bit_and_are_taken_back(dev: Template, prod: Template) -> None:
    assert not resources(dev, "AWS::Lambda::Alias")
    aliases = {name: each for name, each in prod["Resources"].items() if each["Type"] == "AWS::Lambda::Alias"}
    called = len(functions()) + sum(each.trigger.source in _OFTEN for each in triggers())
    assert len(aliases) == len(resources(prod, "AWS::CodeDeploy::DeploymentGroup")) == called
    assert all("CodeDeployLambdaAliasUpdate" in each["UpdatePolicy"] for each in aliases.values())
    for group in resources(prod, "AWS::CodeDeploy::DeploymentGroup").values():
        assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
        assert group["AlarmConfiguration"]["Enabled"]
        assert len(group["AlarmConfiguration"]["Alarms"]) == 2
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]


def test_errors_of_the_new_release_take_it_back(prod: Template) -> None:
    """Handlers answer 500 themselves, so that Lambda counts no error, and a tenth of few calls may be one call."""
    [release] = {
        each["Environment"]["Variables"]["RELEASE"] for each in resources(prod, "AWS::Lambda::Function").values()
    }
    filters = {
        each["MetricTransformations"][0]["MetricName"]: each
        for each in resources(prod, "AWS::Logs::MetricFilter").values()
    }
    assert filters["ReleaseErrors"]["FilterPattern"] == f'{{ ($.status = 500) && ($.release = "{release}") }}'
    alarms = {
        name.removeprefix("Releases")[:-8]: each for name, each in resources(prod, "AWS::CloudWatch::Alarm").items()
    }
    assert alarms["ReleaseErrors"]["Threshold"] == 1
    [subtracted] = [each for each in alarms["ServerErrors"]["Metrics"] if "Expression" in each]
    assert subtracted["Expression"] == "failed - FILL(unavailable, 0)"


def test_snap_start_is_for_the_functions_that_customers_wait_for(dev: Template) -> None:
    assert {each.name for each in all_functions()} >= BUYING_PATH
    for stage in ("dev", "prod"):
        template = synth(stage=stage, snapstart="on")
        deployed = resources(template, "AWS::Lambda::Function")
        assert {name for name, each in deployed.items() if "SnapStart" in each} == BUYING_PATH
        # A snapshot belongs to a published version, which is called by its alias.
        aliased = {each["FunctionName"]["Ref"] for each in resources(template, "AWS::Lambda::Alias").values()}
        assert aliased >= BUYING_PATH
        [pool] = resources(template, "AWS::Cognito::UserPool").values()
        assert "Alias" in json.dumps(pool["LambdaConfig"]["PreTokenGeneration"])
    assert not any("SnapStart" in each for each in resources(dev, "AWS::Lambda::Function").values())


def test_no_concurrency_is_reserved(prod: Template) -> None:
    """A new account has too little to reserve any, and two sweepers at once only read twice."""
    assert not any("ReservedConcurrentExecutions" in each for each in resources(prod, "AWS::Lambda::Function").values())


def test_earlier_versions_stay_in_prod_unless_each_is_billed(prod: Template) -> None:
    def deleted(template: Template) -> set[str]:
        return {
            each["Properties"]["FunctionName"]["Ref"]
            for each in template["Resources"].values()
            if each["Type"] == "AWS::Lambda::Version" and each.get("DeletionPolicy") != "Retain"
        }

    assert deleted(prod) == set()
    assert deleted(synth(stage="prod", snapstart="on")) == BUYING_PATH


def test_a_deployment_can_replace_all_at_once(prod: Template) -> None:
    at_once = synth(stage="prod", gradual="off")
    assert not resources(at_once, "AWS::CodeDeploy::DeploymentGroup")
    assert set(resources(at_once, "AWS::Lambda::Alias")) == set(resources(prod, "AWS::Lambda::Alias"))


def test_e_mails_are_sent_by_ses_if_an_address_is_given(prod: Template) -> None:
    assert "EmailConfiguration" not in prod["Resources"]["UserPool"]["Properties"]
    [pool] = resources(synth(stage="prod", ses_from="shop@example.com"), "AWS::Cognito::UserPool").values()
    sending = pool["EmailConfiguration"]
    assert (sending["EmailSendingAccount"], sending["From"]) == ("DEVELOPER", "shop@example.com")


def test_what_the_business_does_is_counted_from_its_lines_where_it_is_watched(dev: Template, prod: Template) -> None:
    assert not resources(dev, "AWS::Logs::MetricFilter")
    filters = resources(prod, "AWS::Logs::MetricFilter").values()
    counted = {each["MetricTransformations"][0]["MetricName"] for each in filters}
    assert counted == set(BUSINESS) | set(TROUBLE) | {SWEEP_BEHIND, "Unavailable", "ReleaseErrors"}


def test_each_metric_of_the_log_is_graphed_or_raises_an_alarm(prod_app: Synthesized) -> None:
    counted = {
        each["MetricTransformations"][0]["MetricName"]
        for each in resources(prod_app.root, "AWS::Logs::MetricFilter").values()
    }
    read = json.dumps([prod_app.monitoring, resources(prod_app.root, "AWS::CloudWatch::Alarm")])
    assert [name for name in counted if f'"{name}"' not in read and f'\\"{name}\\"' not in read] == []


def test_in_prod_everything_is_watched() -> None:
    template = synthesize({"stage": "prod", "alarm_email": "ops@example.com"}).monitoring or {}
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


def test_monitoring_does_not_grow_with_the_number_of_functions(prod_app: Synthesized) -> None:
    template = prod_app.monitoring or {}
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


def test_managed_rules_count_until_they_are_told_to_block(prod: Template) -> None:
    for template, action in ((prod, "Count"), (synth(stage="prod", firewall="block"), "None")):
        [acl] = resources(template, "AWS::WAFv2::WebACL").values()
        managed = [rule for rule in acl["Rules"] if rule["Name"].startswith("AWS")]
        assert [list(rule["OverrideAction"]) for rule in managed] == [[action]] * 2


def test_the_firewall_lets_machine_clients_have_what_their_tier_allows() -> None:
    [acl] = resources(synth(stage="prod", api_keys="on", address_limit="3000"), "AWS::WAFv2::WebACL").values()
    rates = {rule["Name"]: rule["Statement"].get("RateBasedStatement") for rule in acl["Rules"]}
    with_key, without = rates["RateByAddressWithKey"], rates["RateByAddress"]
    assert with_key["Limit"] >= max(tier.rate_per_second for tier in TIERS) * 300
    assert without["Limit"] == 3000
    assert without["ScopeDownStatement"]["NotStatement"]["Statement"] == with_key["ScopeDownStatement"]


def test_without_required_keys_no_header_lifts_the_limit_of_an_address(prod: Template) -> None:
    [acl] = resources(prod, "AWS::WAFv2::WebACL").values()
    [rate] = [rule["Statement"]["RateBasedStatement"] for rule in acl["Rules"] if rule["Name"] == "RateByAddress"]
    assert "ScopeDownStatement" not in rate


def test_usage_plans_are_there_if_keys_are_required(dev: Template) -> None:
    assert not resources(dev, "AWS::ApiGateway::UsagePlan")
    template = synth(api_keys="on")
    plans = resources(template, "AWS::ApiGateway::UsagePlan")
    assert len(plans) == len(TIERS)
    assert all(plan["Quota"]["Limit"] > 0 and plan["Throttle"]["RateLimit"] > 0 for plan in plans.values())
    # A key shared by clients would let one of them use up the quota of the others.
    assert not resources(template, "AWS::ApiGateway::ApiKey")


def test_expensive_routes_have_limits_of_their_own(dev: Template) -> None:
    [stage] = resources(dev, "AWS::ApiGateway::Stage").values()
    settings = {(each["ResourcePath"], each["HttpMethod"]): each for each in stage["MethodSettings"]}
    limits = {key: each["ThrottlingRateLimit"] for key, each in settings.items()}
    assert limits == {("/*", "*"): 1000} | {
        ("/" + each.path.replace("/", "~1"), each.declaration.method): each.declaration.rate_limit
        for each in functions()
        if each.declaration.rate_limit
    }
    assert {each.name for each in functions() if each.declaration.rate_limit} == {
        "CreateItems",
        "GetTrialBalance",
        "ListEntries",
    }


def test_the_table_can_be_warmed_and_names_hot_keys_in_prod(dev: Template, prod: Template) -> None:
    [table] = resources(synth(warm_writes="20000"), "AWS::DynamoDB::GlobalTable").values()
    warm = {"WriteUnitsPerSecond": 20000}
    assert [each["WarmThroughput"] for each in (table, *table["GlobalSecondaryIndexes"])] == [warm] * 4
    for template, expected in ((dev, None), (prod, {"Enabled": True, "Mode": "THROTTLED_KEYS"})):
        [table] = resources(template, "AWS::DynamoDB::GlobalTable").values()
        assert "WarmThroughput" not in table
        [replica] = table["Replicas"]
        assert replica.get("ContributorInsightsSpecification") == expected
        for index in replica.get("GlobalSecondaryIndexes", []):
            assert index.get("ContributorInsightsSpecification") == expected


def test_api_gateway_can_log_in_a_fresh_account(dev: Template) -> None:
    assert len(resources(dev, "AWS::ApiGateway::Account")) == 1
    assert not resources(synth(cloudwatch_role="off"), "AWS::ApiGateway::Account")
