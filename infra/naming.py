"""Stable logical ids: moving a construct in the tree would change its id, and CloudFormation would replace it."""

from aws_cdk import CfnResource
from constructs import Construct


def set_logical_id(construct: Construct, logical_id: str) -> None:
    """Set the logical id of the single resource behind `construct`."""
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct} is not one resource")
    resource.override_logical_id(logical_id)
