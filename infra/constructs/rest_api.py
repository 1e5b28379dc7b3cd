"""API Gateway REST API: one method per function; API Gateway's own errors are problem documents too."""

import json
from collections.abc import Iterable

from aws_cdk import Aws, RemovalPolicy, Size
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from domain.common import errors
from handlers.http import errors as transport
from handlers.http.declaration import IAM, PUBLIC
from handlers.http.problems import CONTENT_TYPE, INTERNAL_ERROR, PROBLEMS, Problem, problem_document
from handlers.http.request import MERGE_PATCH
from handlers.http.responses import JSON
from handlers.http.route import ALLOWED_HEADERS, EXPOSED_HEADERS
from handlers.registry import RouteFunction
from infra.constructs.identity import Identity
from infra.constructs.lambda_function import LambdaFunction
from infra.constructs.limits import Firewall, add_usage_plans
from infra.nag import acknowledge
from infra.stages import Stage

RATE_PER_SECOND = 1000
BURST = 500

_GATEWAY_PROBLEMS: dict[str, Problem] = {
    "ACCESS_DENIED": PROBLEMS[errors.Forbidden],
    "AUTHORIZER_CONFIGURATION_ERROR": INTERNAL_ERROR,
    "AUTHORIZER_FAILURE": INTERNAL_ERROR,
    "BAD_REQUEST_BODY": PROBLEMS[errors.ValidationFailed],
    "BAD_REQUEST_PARAMETERS": PROBLEMS[errors.ValidationFailed],
    "DEFAULT_4XX": PROBLEMS[errors.ValidationFailed],
    "DEFAULT_5XX": INTERNAL_ERROR,
    "EXPIRED_TOKEN": PROBLEMS[errors.Unauthorized],
    "INTEGRATION_FAILURE": PROBLEMS[errors.Unavailable],
    "INTEGRATION_TIMEOUT": PROBLEMS[errors.Unavailable],
    "INVALID_API_KEY": PROBLEMS[errors.Forbidden],
    "INVALID_SIGNATURE": PROBLEMS[errors.Unauthorized],
    "MISSING_AUTHENTICATION_TOKEN": PROBLEMS[errors.Unauthorized],
    "QUOTA_EXCEEDED": PROBLEMS[transport.TooManyRequests],
    "REQUEST_TOO_LARGE": PROBLEMS[transport.PayloadTooLarge],
    "RESOURCE_NOT_FOUND": PROBLEMS[errors.NotFound],
    "THROTTLED": PROBLEMS[transport.TooManyRequests],
    "UNAUTHORIZED": PROBLEMS[errors.Unauthorized],
    "UNSUPPORTED_MEDIA_TYPE": PROBLEMS[transport.UnsupportedMediaType],
    "WAF_FILTERED": PROBLEMS[errors.Forbidden],
}


_LOGS_POLICY = (
    "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]"
)
_AUTHORIZATION = {PUBLIC: apigateway.AuthorizationType.NONE, IAM: apigateway.AuthorizationType.IAM}


class RestApi(Construct):
    """REST API with its authorizer, usage plans and, in prod, firewall."""

    def __init__(self, scope: Construct, *, stage: Stage, identity: Identity) -> None:
        super().__init__(scope, "Api")
        self._keys_required = stage.api_keys_required
        access_logs = logs.LogGroup(
            self, "AccessLogs", retention=stage.log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        self.rest = apigateway.RestApi(
            self,
            "Rest",
            rest_api_name=f"tradepost-{stage.name}",
            description="Tradepost",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            min_compression_size=Size.kibibytes(2),
            # API Gateway writes logs with one role per account and region, shared by all APIs there.
            cloud_watch_role=stage.sets_cloudwatch_role,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN if stage.sets_cloudwatch_role else None,
            deploy_options=apigateway.StageOptions(
                stage_name=stage.name,
                throttling_rate_limit=RATE_PER_SECOND,
                throttling_burst_limit=BURST,
                tracing_enabled=stage.tracing,
                # Without metrics of each method, which nothing reads: the API's own metrics are there anyway, and free.
                access_log_destination=apigateway.LogGroupLogDestination(access_logs),
                access_log_format=_access_log_format(),
            ),
            default_cors_preflight_options=_cors(stage),
        )
        self._authorizer = apigateway.CognitoUserPoolsAuthorizer(self, "Authorizer", cognito_user_pools=[identity.pool])
        # One role instead of a permission on each function, which is a resource each; a stack has 500.
        self._invoker = iam.Role(
            self,
            "Invoker",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description="Role in which API Gateway invokes the functions of routes",
        )
        self._add_gateway_responses(stage)
        add_usage_plans(self, self.rest)
        if stage.production:
            Firewall(self, self.rest.deployment_stage)
        self._acknowledge(stage)

    def add_routes(self, routes: Iterable[tuple[RouteFunction, LambdaFunction]]) -> None:
        """Add a method per function, a 405 response for other methods of each path, and a 404 for other paths."""
        methods: dict[str, set[str]] = {}
        for function, deployed in routes:
            methods.setdefault(function.path, set()).add(function.declaration.method)
            self._add_method(function, deployed)
        for path, allowed in sorted(methods.items()):
            self._refuse_other_methods(path, ", ".join(sorted(allowed)))
        missing = PROBLEMS[errors.NotFound]
        self._refuse(self.rest.root.add_resource("{proxy+}"), missing, "There is no such resource.")

    def _add_method(self, function: RouteFunction, deployed: LambdaFunction) -> None:
        resource = self.rest.root.resource_for_path(function.path)
        permission = function.declaration.permission
        kind = _AUTHORIZATION.get(permission, apigateway.AuthorizationType.COGNITO)
        method = resource.add_method(
            function.declaration.method,
            self._integration(deployed),
            operation_name=function.operation_id,
            api_key_required=self._keys_required and permission != PUBLIC,
            authorizer=self._authorizer if kind == apigateway.AuthorizationType.COGNITO else None,
            authorization_type=kind,
        )
        if permission == PUBLIC:
            acknowledge(method, "AwsSolutions-APIG4", "Health and documentation are public")
            acknowledge(method, "AwsSolutions-COG4", "Health and documentation are public")
        if permission == IAM:
            acknowledge(
                method,
                "AwsSolutions-COG4",
                "Routes for operators use IAM authorization, as operators are in no user pool",
            )

    def _integration(self, deployed: LambdaFunction) -> apigateway.Integration:
        """Return a function's proxy integration. CDK's own adds a permission to each function even if given a role."""
        arn = deployed.target.function_arn
        self._invoker.add_to_policy(iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[arn]))
        return apigateway.Integration(
            type=apigateway.IntegrationType.AWS_PROXY,
            integration_http_method="POST",
            uri=f"arn:{Aws.PARTITION}:apigateway:{Aws.REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
            options=apigateway.IntegrationOptions(credentials_role=self._invoker),
        )

    def _refuse_other_methods(self, path: str, allowed: str) -> None:
        problem = PROBLEMS[transport.MethodNotAllowed]
        resource = self.rest.root.resource_for_path(path)
        self._refuse(resource, problem, f"This path answers {allowed}.", {"Allow": f"'{allowed}'"})

    def _refuse(
        self, resource: apigateway.IResource, problem: Problem, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        """Add a mock ANY method that returns a problem for all methods that the path does not have."""
        status = str(problem.status)
        sent = {"Content-Type": f"'{CONTENT_TYPE}'", "X-Request-Id": "context.requestId"} | (headers or {})
        named = {f"method.response.header.{header}": value for header, value in sent.items()}
        method = resource.add_method(
            "ANY",
            apigateway.MockIntegration(
                request_templates=dict.fromkeys((JSON, MERGE_PATCH), f'{{"statusCode": {status}}}'),
                passthrough_behavior=apigateway.PassthroughBehavior.WHEN_NO_TEMPLATES,
                integration_responses=[
                    apigateway.IntegrationResponse(
                        status_code=status,
                        response_templates={JSON: _template(problem, detail, _ESCAPED_PATH)},
                        response_parameters=named,
                    )
                ],
            ),
            method_responses=[
                apigateway.MethodResponse(status_code=status, response_parameters=dict.fromkeys(named, True))
            ],
            authorization_type=apigateway.AuthorizationType.NONE,
        )
        for rule in ("AwsSolutions-APIG4", "AwsSolutions-COG4"):
            acknowledge(method, rule, "It answers with a problem and reaches nothing")

    def _add_gateway_responses(self, stage: Stage) -> None:
        headers = {"X-Request-Id": "context.requestId"}
        if stage.cors_origins:
            headers["Access-Control-Allow-Origin"] = f"'{stage.cors_origins[0]}'"
            headers["Access-Control-Expose-Headers"] = f"'{', '.join(EXPOSED_HEADERS)}'"
        for kind, problem in _GATEWAY_PROBLEMS.items():
            retry = {"Retry-After": "'1'"} if problem.retryable else {}
            self.rest.add_gateway_response(
                kind.title().replace("_", ""),
                type=apigateway.ResponseType.of(kind),
                status_code=str(problem.status),
                response_headers=headers | retry | {"Content-Type": f"'{CONTENT_TYPE}'"},
                templates={JSON: _template(problem, problem.title, _OCCURRENCE)},
            )

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


def _cors(stage: Stage) -> apigateway.CorsOptions | None:
    if not stage.cors_origins:
        return None
    keys = ["X-Api-Key"] if stage.api_keys_required else []
    return apigateway.CorsOptions(
        allow_origins=list(stage.cors_origins),
        allow_headers=ALLOWED_HEADERS + keys,
        expose_headers=EXPOSED_HEADERS,
    )


_ESCAPED_PATH = """$util.escapeJavaScript($context.path).replaceAll("\\\\'", "'")"""
"""Request path as JSON string content; JSON has no escape for an apostrophe (API Gateway developer guide, "$util")."""
_OCCURRENCE = "urn:uuid:$context.requestId"
"""Problem instance of gateway responses: they substitute variables and call no functions, so nothing can be escaped
(API Gateway developer guide, "x-amazon-apigateway-gateway-responses.responseTemplates")."""


def _template(problem: Problem, detail: str, instance: str) -> str:
    """Return the mapping template of a problem document, with API Gateway's variables."""
    document = json.dumps(problem_document(problem, detail, "INSTANCE", "$context.requestId"))
    # Replaced after encoding: a function call contains quotes that json.dumps would escape.
    return document.replace("INSTANCE", instance)


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
