"""Deployed stacks, as CloudFormation describes them."""

from typing import Any


def described(cloudformation: Any, stack: str) -> dict[str, Any]:
    """Return the description of a stack. Raises LookupError if there is no such stack."""
    try:
        [found] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except cloudformation.exceptions.ClientError as refused:
        raise LookupError(f"There is no stack {stack} in this account and region.") from refused
    shown: dict[str, Any] = found
    return shown


def outputs_of(cloudformation: Any, stack: str) -> dict[str, str]:
    """Return the outputs of a stack. Raises LookupError if there is no such stack."""
    return {each["OutputKey"]: each["OutputValue"] for each in described(cloudformation, stack)["Outputs"]}
