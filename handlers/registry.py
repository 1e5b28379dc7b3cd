"""Finding the functions: each module below `handlers/<resource>/` is one, as is each below `handlers/triggers/`."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import handlers
from handlers.http.route import Api, Operation
from handlers.triggers.trigger import Trigger
from repositories.dynamodb.iam_actions import Access

ROOT = Path(__file__).parents[1]
_TRIGGERS = "handlers.triggers"
_NO_RESOURCES = {"dependencies", "http", "triggers"}


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function and the route that it serves."""

    resource: str
    operation_name: str
    api: Api

    @property
    def name(self) -> str:
        """Its name in the stack, such as `CreateItem`."""
        return _camel(self.operation_name)

    @property
    def operation_id(self) -> str:
        """Its name in the OpenAPI document, such as `createItem`."""
        return self.name[0].lower() + self.name[1:]

    @property
    def module(self) -> str:
        """Its module, such as `handlers.items.create_item`."""
        return f"handlers.{self.resource}.{self.operation_name}"

    @property
    def event(self) -> Path:
        """Its sample event."""
        return ROOT / "events" / self.resource / f"{self.operation_name}.json"

    @property
    def access(self) -> frozenset[Access]:
        """What its role may do."""
        return self.operation.access

    @property
    def description(self) -> str:
        """What calls it."""
        return f"{self.operation.method} {self.path}"

    @property
    def operation(self) -> Operation:
        """What it declares."""
        return self.api.operation

    @property
    def path(self) -> str:
        """Its path as API Gateway and OpenAPI write it: `/v1/items/{item_id}`."""
        return self.operation.path.replace("<", "{").replace(">", "}")


@dataclass(frozen=True, slots=True)
class TriggerFunction:
    """One Lambda function that AWS calls when something happens."""

    module_name: str
    trigger: Trigger

    @property
    def name(self) -> str:
        """Its name in the stack, such as `PreTokenGeneration`."""
        return _camel(self.module_name)

    @property
    def module(self) -> str:
        """Its module, such as `handlers.triggers.pre_token_generation`."""
        return f"{_TRIGGERS}.{self.module_name}"

    @property
    def event(self) -> Path:
        """Its sample event."""
        return ROOT / "events" / "triggers" / f"{self.module_name}.json"

    @property
    def access(self) -> frozenset[Access]:
        """What its role may do."""
        return self.trigger.access

    @property
    def description(self) -> str:
        """What calls it."""
        return f"Called by {self.trigger.source.value}"


@cache
def functions() -> tuple[Function, ...]:
    """Return the functions behind routes, by module name."""
    return tuple(
        Function(resource.name, module, _module(f"handlers.{resource.name}.{module}").api)
        for resource in pkgutil.iter_modules(handlers.__path__)
        if resource.ispkg and resource.name not in _NO_RESOURCES
        for module in _modules_in(resource.name)
    )


@cache
def triggers() -> tuple[TriggerFunction, ...]:
    """Return the functions that AWS calls, by module name."""
    return tuple(
        TriggerFunction(name, getattr(_module(f"{_TRIGGERS}.{name}"), name))
        for name in _modules_in("triggers")
        if name != "trigger"
    )


def all_functions() -> tuple[Function | TriggerFunction, ...]:
    """Return all functions."""
    return (*functions(), *triggers())


def _modules_in(package: str) -> list[str]:
    return [module.name for module in pkgutil.iter_modules([str(Path(handlers.__path__[0]) / package)])]


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _camel(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))
