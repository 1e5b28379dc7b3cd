"""Names that other stacks, or deployments that have been made already, rely on."""

from aws_cdk import Aws, CfnResource
from constructs import Construct

from handlers.registry import RouteFunction, TriggerFunction
from infra.stages import Stage

ALIAS = "live"
"""Alias of a function's current version, where versions are published."""


def function_name(stage: Stage, function: RouteFunction | TriggerFunction) -> str:
    """Return the name of a function, unique in its account and region."""
    return f"Tradepost-{stage.name}-{function.name}"


def target_arn(stage: Stage, function: RouteFunction) -> str:
    """Return the ARN to invoke the function of a route: its own, or its alias's.

    It is made from names, so that the stack of the API needs no reference to the stacks of functions.
    """
    arn = _function_arn(function_name(stage, function))
    return f"{arn}:{ALIAS}" if stage.publishes(function.name) else arn


def all_target_arns(stage: Stage) -> str:
    """Return a pattern of the ARNs to invoke the functions of all routes."""
    arn = _function_arn(f"Tradepost-{stage.name}-*")
    return f"{arn}:{ALIAS}" if stage.production else arn


def _function_arn(name: str) -> str:
    return f"arn:{Aws.PARTITION}:lambda:{Aws.REGION}:{Aws.ACCOUNT_ID}:function:{name}"


def set_logical_id(construct: Construct, logical_id: str) -> None:
    """Set the logical id of the single resource behind `construct`.

    Moving a construct in the tree would change its id otherwise, and CloudFormation would replace it.
    """
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct} is not one resource")
    resource.override_logical_id(logical_id)
