"""Logical names that stay, whatever tree of constructs a resource hangs in: a new name would be a new resource."""

from aws_cdk import CfnResource
from constructs import Construct


def set_logical_id(construct: Construct, logical_id: str) -> None:
    """Give the one resource behind `construct` a logical id."""
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct} is not one resource")
    resource.override_logical_id(logical_id)
