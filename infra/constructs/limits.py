"""Request limits: usage plans for machine clients, and AWS WAF in prod."""

import json
from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from handlers.http.errors import TooManyRequests
from handlers.http.problems import PROBLEMS, problem_document

REQUESTS_BY_ADDRESS = 2000
"""Maximum requests from one IP address in five minutes."""
_TOO_MANY = json.dumps(problem_document(PROBLEMS[TooManyRequests], "Too many requests from this address.", "", ""))
_MANAGED_RULES = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")


@dataclass(frozen=True, slots=True)
class Tier:
    """Request limits of machine clients with an API key of this tier."""

    name: str
    rate_per_second: int
    burst: int
    requests_a_month: int


TIERS = (
    Tier("Basic", 10, 20, 500_000),
    Tier("Standard", 50, 100, 5_000_000),
    Tier("Partner", 200, 400, 50_000_000),
)


def add_usage_plans(scope: Construct, rest: apigateway.SpecRestApi) -> None:
    """Add a usage plan and an API key for each tier."""
    for tier in TIERS:
        plan = rest.add_usage_plan(
            f"{tier.name}Plan",
            name=f"{rest.rest_api_name}-{tier.name.lower()}",
            throttle=apigateway.ThrottleSettings(rate_limit=tier.rate_per_second, burst_limit=tier.burst),
            quota=apigateway.QuotaSettings(limit=tier.requests_a_month, period=apigateway.Period.MONTH),
        )
        plan.add_api_stage(stage=rest.deployment_stage)
        plan.add_api_key(apigateway.ApiKey(scope, f"{tier.name}Key", description=f"{tier.name} machine clients"))


class Firewall(Construct):
    """Web ACL that blocks known attacks and too many requests from one IP address before they reach the API."""

    def __init__(self, scope: Construct, stage: apigateway.Stage) -> None:
        super().__init__(scope, "Firewall")
        acl = waf.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible("Tradepost"),
            custom_response_bodies={
                "TooMany": waf.CfnWebACL.CustomResponseBodyProperty(content_type="APPLICATION_JSON", content=_TOO_MANY)
            },
            rules=[*map(_managed, range(len(_MANAGED_RULES)), _MANAGED_RULES), _rate(len(_MANAGED_RULES))],
        )
        waf.CfnWebACLAssociation(self, "OnStage", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)


def _visible(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )


def _managed(priority: int, name: str) -> waf.CfnWebACL.RuleProperty:
    """Return an AWS managed rule group. Its body size rule only counts: the API itself checks bodies up to 256 KB."""
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS",
        name=name,
        rule_action_overrides=[
            waf.CfnWebACL.RuleActionOverrideProperty(
                name="SizeRestrictions_BODY", action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
            )
        ]
        if "Common" in name
        else None,
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_visible(name),
    )


def _rate(priority: int) -> waf.CfnWebACL.RuleProperty:
    by_address = waf.CfnWebACL.RateBasedStatementProperty(limit=REQUESTS_BY_ADDRESS, aggregate_key_type="IP")
    too_many = waf.CfnWebACL.CustomResponseProperty(
        response_code=429,
        custom_response_body_key="TooMany",
        response_headers=[waf.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value="60")],
    )
    return waf.CfnWebACL.RuleProperty(
        name="RateByAddress",
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=by_address),
        action=waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty(custom_response=too_many)),
        visibility_config=_visible("RateByAddress"),
    )
