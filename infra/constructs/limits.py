"""Request limits: methods of expensive routes, usage plans for machine clients, and AWS WAF in prod."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from handlers.http.errors import TooManyRequests
from handlers.http.problems import PROBLEMS, problem_document
from handlers.registry import RouteFunction
from infra.constructs.gateway_body import API_KEY_HEADER
from infra.stages import Stage

_TOO_MANY = json.dumps(problem_document(PROBLEMS[TooManyRequests], "Too many requests from this address.", "", ""))
_MANAGED_RULES = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet")
_WINDOW_SECONDS = 300
"""Window of the firewall's rate rules."""
WEB_ACL = "Tradepost"
"""Name of the firewall in metrics."""


@dataclass(frozen=True, slots=True)
class Tier:
    """Request limits of each machine client with an API key of this tier."""

    name: str
    rate_per_second: int
    burst: int
    requests_a_month: int


TIERS = (
    Tier("Basic", 10, 20, 500_000),
    Tier("Standard", 50, 100, 5_000_000),
    Tier("Partner", 200, 400, 50_000_000),
)


def method_limits(functions: Iterable[RouteFunction]) -> Mapping[str, apigateway.MethodDeploymentOptions]:
    """Return the limits of expensive routes, by path and method. They take no concurrency from new accounts."""
    return {
        f"{each.path}/{each.declaration.method}": apigateway.MethodDeploymentOptions(
            throttling_rate_limit=each.declaration.rate_limit, throttling_burst_limit=each.declaration.rate_limit
        )
        for each in functions
        if each.declaration.rate_limit
    }


def add_usage_plans(rest: apigateway.SpecRestApi) -> None:
    """Add a usage plan for each tier. Operators create a key for each client (docs/operations.md)."""
    for tier in TIERS:
        plan = rest.add_usage_plan(
            f"{tier.name}Plan",
            name=f"{rest.rest_api_name}-{tier.name.lower()}",
            throttle=apigateway.ThrottleSettings(rate_limit=tier.rate_per_second, burst_limit=tier.burst),
            quota=apigateway.QuotaSettings(limit=tier.requests_a_month, period=apigateway.Period.MONTH),
        )
        plan.add_api_stage(stage=rest.deployment_stage)


class Firewall(Construct):
    """Web ACL that stops known attacks and too many requests from one IP address before they reach the API.

    Managed rules count what they would block until the stage's `firewall` is `block`.
    """

    def __init__(self, scope: Construct, settings: Stage, stage: apigateway.Stage) -> None:
        super().__init__(scope, "Firewall")
        rules = [_managed(number, name, settings) for number, name in enumerate(_MANAGED_RULES)]
        if settings.api_keys_required:
            rules.append(_rate(len(rules), "RateByAddress", settings.address_limit, _without_key()))
            fastest = max(tier.rate_per_second for tier in TIERS)
            rules.append(_rate(len(rules), "RateByAddressWithKey", fastest * _WINDOW_SECONDS, _with_key()))
        else:
            # Of all requests: where keys are not required, any header would pass for one.
            rules.append(_rate(len(rules), "RateByAddress", settings.address_limit, None))
        acl = waf.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible(WEB_ACL),
            custom_response_bodies={
                "TooMany": waf.CfnWebACL.CustomResponseBodyProperty(content_type="APPLICATION_JSON", content=_TOO_MANY)
            },
            rules=rules,
        )
        waf.CfnWebACLAssociation(self, "OnStage", resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)


def _visible(metric: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=metric, sampled_requests_enabled=True
    )


def _managed(priority: int, name: str, settings: Stage) -> waf.CfnWebACL.RuleProperty:
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
    override: dict[str, Any] = {"none": {}} if settings.firewall_blocks else {"count": {}}
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        override_action=waf.CfnWebACL.OverrideActionProperty(**override),
        visibility_config=_visible(name),
    )


def _with_key() -> waf.CfnWebACL.StatementProperty:
    return waf.CfnWebACL.StatementProperty(
        size_constraint_statement=waf.CfnWebACL.SizeConstraintStatementProperty(
            field_to_match=waf.CfnWebACL.FieldToMatchProperty(single_header={"Name": API_KEY_HEADER.lower()}),
            comparison_operator="GT",
            size=0,
            text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
        )
    )


def _without_key() -> waf.CfnWebACL.StatementProperty:
    return waf.CfnWebACL.StatementProperty(not_statement=waf.CfnWebACL.NotStatementProperty(statement=_with_key()))


def _rate(
    priority: int, name: str, limit: int, of: waf.CfnWebACL.StatementProperty | None
) -> waf.CfnWebACL.RuleProperty:
    """Return the rule that refuses an address after `limit` requests in five minutes, of those that match `of`."""
    by_address = waf.CfnWebACL.RateBasedStatementProperty(limit=limit, aggregate_key_type="IP", scope_down_statement=of)
    too_many = waf.CfnWebACL.CustomResponseProperty(
        response_code=429,
        custom_response_body_key="TooMany",
        response_headers=[waf.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value="60")],
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=by_address),
        action=waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty(custom_response=too_many)),
        visibility_config=_visible(name),
    )
