"""Functions and schedules of a deployed stack, and how they are stopped: a function with no concurrency is refused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cli.stacks import described, outputs_of

_NESTED = "AWS::CloudFormation::Stack"
_FUNCTION = "AWS::Lambda::Function"
_SCHEDULE = "AWS::Scheduler::Schedule"
_NOT_IN_UPDATES = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")


@dataclass(frozen=True, slots=True)
class Stack:
    """Deployed stack, with its nested stacks."""

    name: str
    cloudformation: Any
    lambda_: Any
    scheduler: Any
    drain: Callable[[], None]
    """Waits until calls that were running when functions were stopped have ended."""

    def account(self) -> str:
        """Return the account and region of the stack. Raises LookupError if there is no such stack."""
        arn: str = described(self.cloudformation, self.name)["StackId"]
        _, _, _, region, account, *_ = arn.split(":")
        return f"{account}/{region}"

    def table(self) -> str:
        """Return the name of the table. Raises LookupError if there is no such stack."""
        outputs = outputs_of(self.cloudformation, self.name)
        if "TableName" not in outputs:
            raise LookupError(f"{self.name} has no output TableName.")
        return outputs["TableName"]

    def state(self) -> dict[str, Any]:
        """Return the reserved concurrency of each function (None: none) and the state of each schedule, by name."""
        found = list(self._resources(self.name))
        functions = {name: self._reserved(name) for kind, name in found if kind == _FUNCTION}
        schedules = {name: self._schedule(name)["State"] for kind, name in found if kind == _SCHEDULE}
        return {"functions": functions, "schedules": schedules}

    def stop(self, state: dict[str, Any]) -> None:
        """Stop the schedules and functions of a state: callers and the user pool are refused."""
        for name in state["schedules"]:
            self._set_schedule(name, "DISABLED")
        for name in state["functions"]:
            self.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        self.drain()

    def start(self, state: dict[str, Any]) -> None:
        """Start them again as they were."""
        for name, reserved in state["functions"].items():
            if reserved is None:
                self.lambda_.delete_function_concurrency(FunctionName=name)
            else:
                self.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        for name, was in state["schedules"].items():
            self._set_schedule(name, was)

    def _resources(self, stack: str) -> Iterator[tuple[str, str]]:
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
        for page in pages:
            for each in page["StackResourceSummaries"]:
                name = each["PhysicalResourceId"]
                if each["ResourceType"] == _NESTED:
                    yield from self._resources(name)
                else:
                    yield each["ResourceType"], name

    def _reserved(self, function: str) -> int | None:
        answer = self.lambda_.get_function_concurrency(FunctionName=function)
        reserved: int | None = answer.get("ReservedConcurrentExecutions")
        return reserved

    def _schedule(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.scheduler.get_schedule(Name=name)
        return found

    def _set_schedule(self, name: str, state: str) -> None:
        """Set the state of a schedule. UpdateSchedule replaces all of it, so all of it is sent (API reference)."""
        kept = {key: value for key, value in self._schedule(name).items() if key not in _NOT_IN_UPDATES}
        self.scheduler.update_schedule(**kept | {"State": state})
