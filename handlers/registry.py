"""The registry of functions: each module below `handlers/<resource>/` and `handlers/triggers/` is one.

For tools only: it is not deployed.
"""

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import handlers
from handlers.http.declaration import Declaration
from handlers.http.route import Route
from handlers.triggers.trigger import Trigger
from repositories.dynamodb.iam_actions import IamAction, used_by

ROOT = Path(__file__).parents[1]
_TRIGGERS = "handlers.triggers"
_NO_RESOURCES = {"dependencies", "http", "triggers"}
_BY_ANY_WRITE = frozenset({IamAction.GET, IamAction.PUT})
"""IAM actions of the token check, the idempotency record and the event, which come with any write."""


@dataclass(frozen=True, slots=True)
class RouteFunction:
    """The function of one route."""

    resource: str
    operation_name: str
    route: Route

    @property
    def name(self) -> str:
        """Name in the stack, such as `CreateItem`."""
        return _camel(self.operation_name)

    @property
    def operation_id(self) -> str:
        """Name in the OpenAPI document, such as `createItem`."""
        return self.name[0].lower() + self.name[1:]

    @property
    def module(self) -> str:
        """Module, such as `handlers.items.create_item`."""
        return f"handlers.{self.resource}.{self.operation_name}"

    @property
    def event(self) -> Path:
        """File of the sample event."""
        return ROOT / "events" / self.resource / f"{self.operation_name}.json"

    @property
    def declaration(self) -> Declaration:
        """What the route declares."""
        return self.route.declaration

    @property
    def iam_actions(self) -> frozenset[IamAction]:
        """IAM actions that the function's role grants."""
        return _actions_of(self.route.endpoint) | (_BY_ANY_WRITE if self.declaration.writes else frozenset())

    @property
    def path(self) -> str:
        """Path as API Gateway and OpenAPI write it: `/v1/items/{item_id}`."""
        return self.declaration.template

    @property
    def description(self) -> str:
        """What calls the function."""
        return f"{self.declaration.method} {self.path}"


@dataclass(frozen=True, slots=True)
class TriggerFunction:
    """A function that AWS calls."""

    module_name: str
    trigger: Trigger

    @property
    def name(self) -> str:
        """Name in the stack, such as `PreTokenGeneration`."""
        return _camel(self.module_name)

    @property
    def module(self) -> str:
        """Module, such as `handlers.triggers.pre_token_generation`."""
        return f"{_TRIGGERS}.{self.module_name}"

    @property
    def event(self) -> Path:
        """File of the sample event."""
        return ROOT / "events" / "triggers" / f"{self.module_name}.json"

    @property
    def iam_actions(self) -> frozenset[IamAction]:
        """IAM actions that the function's role grants."""
        return _actions_of(self.trigger.call)

    @property
    def description(self) -> str:
        """What calls the function."""
        return f"Called by {self.trigger.source.value}"


@cache
def functions() -> tuple[RouteFunction, ...]:
    """Return the functions of routes, by module name."""
    return tuple(
        RouteFunction(resource.name, module, _module(f"handlers.{resource.name}.{module}").api)
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


def all_functions() -> tuple[RouteFunction | TriggerFunction, ...]:
    """Return all functions."""
    return (*functions(), *triggers())


def _modules_in(package: str) -> list[str]:
    return [module.name for module in pkgutil.iter_modules([str(Path(handlers.__path__[0]) / package)])]


def _module(name: str) -> Any:
    return importlib.import_module(name)


def _camel(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))


@cache
def _actions_of(function: Callable[..., Any]) -> frozenset[IamAction]:
    """Return the IAM actions that what a function calls declares. Raises TypeError if a repository method does not."""
    return frozenset().union(*_declared_in(function))


def _declared_in(function: Callable[..., Any]) -> Iterator[frozenset[IamAction]]:
    injected = {name: get_args(hint)[0] for name, hint in _hints(function).items() if _is_injected(hint)}
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in injected:
            owner = injected[node.value.id]
            method = getattr(owner, node.attr, None)
            if inspect.isfunction(method):
                declared = used_by(method)
                if declared is None:
                    raise TypeError(f"{owner.__name__}.{node.attr} in {owner.__module__} must declare @uses(…)")
                yield declared
        elif isinstance(node, ast.Name):
            yield used_by(function.__globals__.get(node.id)) or frozenset()


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)


def _is_injected(hint: Any) -> bool:
    """Return whether a parameter is a repository or the table, as `handlers.http.dependencies` injects them."""
    return any(type(each).__name__ == "Depends" for each in get_args(hint)[1:]) and isinstance(get_args(hint)[0], type)
