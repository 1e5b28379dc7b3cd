"""API Gateway REST API, defined by one OpenAPI document; its own errors are problem documents too."""

import json
from collections.abc import Sequence

from aws_cdk import RemovalPolicy, Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from handlers.registry import RouteFunction
from infra.constructs.gateway_body import MIN_COMPRESSION_BYTES, Definition, gateway_body
from infra.constructs.identity import Identity
from infra.constructs.limits import Firewall, add_usage_plans, method_limits
from infra.nag import acknowledge
from infra.naming import all_target_arns, target_arn
from infra.stages import Stage

RATE_PER_SECOND = 1000
BURST = 500

_LOGS_POLICY = (
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]"
)


class RestApi(Construct):
    """REST API with its authorizer and limits and, in prod, firewall."""

    def __init__(
        self, scope: Construct, *, stage: Stage, identity: Identity, functions: Sequence[RouteFunction]
    ) -> None:
        super().__init__(scope, "Api")
        access_logs = logs.LogGroup(
            self, "AccessLogs", retention=stage.log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        definition = Definition(
            name=f"tradepost-{stage.name}",
            target=lambda function: target_arn(stage, function),
            invoker=self._invoker(stage).role_arn,
            user_pool=identity.pool.user_pool_arn,
            cors_origins=stage.cors_origins,
            keys_required=stage.api_keys_required,
        )
        self.rest = apigateway.SpecRestApi(
            self,
            "Rest",
            api_definition=apigateway.ApiDefinition.from_inline(gateway_body(functions, definition)),
            rest_api_name=definition.name,
            description="Tradepost",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            min_compression_size=Size.bytes(MIN_COMPRESSION_BYTES),
            parameters={"endpointConfigurationTypes": "REGIONAL"},
            # With the default mode, methods that are gone from the definition would stay.
            mode=apigateway.RestApiMode.OVERWRITE,
            # API Gateway writes logs with one role per account and region, shared by all APIs there.
            cloud_watch_role=stage.sets_cloudwatch_role,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN if stage.sets_cloudwatch_role else None,
            deploy_options=apigateway.StageOptions(
                stage_name=stage.name,
                throttling_rate_limit=RATE_PER_SECOND,
                throttling_burst_limit=BURST,
                method_options=dict(method_limits(functions)),
                tracing_enabled=stage.tracing,
                # Without metrics of each method, which nothing reads: the API's own metrics are there anyway, and free.
                access_log_destination=apigateway.LogGroupLogDestination(access_logs),
                access_log_format=_access_log_format(),
            ),
        )
        if stage.api_keys_required:
            add_usage_plans(self.rest)
        if stage.production:
            Firewall(self, stage, self.rest.deployment_stage)
        self._acknowledge(stage)

    def _invoker(self, stage: Stage) -> iam.Role:
        """Return the role in which API Gateway invokes functions: a permission on each would be a resource each."""
        # By pattern: a role's inline policies may have 10,240 characters, enough to name about 100 functions.
        invoking = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[all_target_arns(stage)])
        role = iam.Role(
            self,
            "Invoker",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description="Role in which API Gateway invokes the functions of routes",
            inline_policies={"Invoke": iam.PolicyDocument(statements=[invoking])},
        )
        pattern = Stack.of(self).resolve(invoking.resources[0])
        named = "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in pattern["Fn::Join"][1])
        reason = "API Gateway invokes functions of this stage only, those that the definition of the API names"
        acknowledge(role, f"AwsSolutions-IAM5[Resource::{named}]", reason)
        return role

    def _acknowledge(self, stage: Stage) -> None:
        acknowledge(
            self.rest, "AwsSolutions-APIG2", "The functions validate requests, and answer with what is wrong and where"
        )
        if stage.sets_cloudwatch_role:
            reason = "API Gateway requires this AWS managed policy"
            acknowledge(self.rest.node.find_child("CloudWatchRole"), _LOGS_POLICY, reason)
        if not stage.production:
            reason = "The firewall costs by the month and is in front of prod"
            acknowledge(self.rest.deployment_stage, "AwsSolutions-APIG3", reason)
        acknowledge(
            self.rest.deployment_stage,
            "AwsSolutions-APIG6",
            "Access logs and the functions' own lines say what happened; execution logs would hold bodies",
        )


def _access_log_format() -> apigateway.AccessLogFormat:
    """Return the access log format: a JSON line per request with the caller's subject, but no tokens or addresses."""
    fields = {
        "request_id": "$context.requestId",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "resource": "$context.resourcePath",
        "status": "$context.status",
        "latency_ms": "$context.responseLatency",
        "integration_ms": "$context.integrationLatency",
        "bytes": "$context.responseLength",
        "sub": "$context.authorizer.claims.sub",
        "error": "$context.error.responseType",
    }
    return apigateway.AccessLogFormat.custom(json.dumps(fields))
