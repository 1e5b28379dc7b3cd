"""Registry of functions: each module in `handlers/<resource>/` and `handlers/triggers/` is one function.

Build-time and local code: it is not deployed.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import handlers
from domain.identity.permissions import Permission
from handlers.http.declaration import SIGNED, Declaration
from handlers.http.route import Route
from handlers.invocations.trigger import USUAL, Size, Trigger
from repositories.dynamodb.iam_actions import IamAction, used_by

ROOT = Path(__file__).parents[1]
_TRIGGERS = "handlers.triggers"
_NO_RESOURCES = {"dependencies", "http", "invocations", "triggers"}
_NO_ACCESS = {"caller"}
"""Attributes of repositories that reach nothing."""
_BY_ANY_WRITE = frozenset({IamAction.GET, IamAction.PUT})
"""IAM actions of every route that writes: for the token check, the idempotency record and the events."""


@dataclass(frozen=True, slots=True)
class RouteFunction:
    """Function of a route."""

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
    def response(self) -> Path:
        """File of the JSON body of the response to the sample event, if it has one."""
        return self.event.with_suffix(".response.json")

    @property
    def size(self) -> Size:
        """What the function may use: routes all the same, but for their packages."""
        return replace(USUAL, packages=self.declaration.packages)

    @property
    def declaration(self) -> Declaration:
        """Declaration of the route."""
        return self.route.declaration

    @property
    def iam_actions(self) -> frozenset[IamAction]:
        """IAM actions that the function's role allows."""
        has_caller = self.declaration.permission != SIGNED
        by_kind = (_BY_ANY_WRITE if self.declaration.writes and has_caller else frozenset()) | (
            {IamAction.COUNT} if isinstance(self.declaration.permission, Permission) else frozenset()
        )
        return _actions_of(self.route.endpoint) | by_kind

    @property
    def path(self) -> str:
        """Path in the syntax of API Gateway and OpenAPI: `/v1/items/{item_id}`."""
        return self.declaration.template

    @property
    def pattern(self) -> re.Pattern[str]:
        """Pattern of the paths that the route matches, with a group for each parameter."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path.replace(".", r"\.")))

    @property
    def description(self) -> str:
        """Description of what calls the function."""
        return f"{self.declaration.method} {self.path}"


@dataclass(frozen=True, slots=True)
class TriggerFunction:
    """Function that an AWS service calls."""

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
    def size(self) -> Size:
        """What the function may use."""
        return self.trigger.size

    @property
    def event(self) -> Path:
        """File of the sample event."""
        return ROOT / "events" / "triggers" / f"{self.module_name}.json"

    @property
    def iam_actions(self) -> frozenset[IamAction]:
        """IAM actions that the function's role allows."""
        return _actions_of(self.trigger.call)

    @property
    def description(self) -> str:
        """Description of what calls the function."""
        return f"Called by {self.trigger.source.value}"


@cache
def functions() -> tuple[RouteFunction, ...]:
    """Return the functions of routes, in order of resource and module name."""
    return tuple(
        RouteFunction(resource.name, module, _module(f"handlers.{resource.name}.{module}").api)
        for resource in pkgutil.iter_modules(handlers.__path__)
        if resource.ispkg and resource.name not in _NO_RESOURCES
        for module in _modules_in(resource.name)
    )


@cache
def triggers() -> tuple[TriggerFunction, ...]:
    """Return the functions that AWS services call, in order of module name."""
    return tuple(
        TriggerFunction(name, getattr(_module(f"{_TRIGGERS}.{name}"), name)) for name in _modules_in("triggers")
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
    """Return the IAM actions declared by what a function calls. Raises TypeError for a method that declares none."""
    return frozenset().union(*_declared_in(function))


def _declared_in(function: Callable[..., Any]) -> Iterator[frozenset[IamAction]]:
    injected = {name: get_args(hint)[0] for name, hint in _hints(function).items() if _is_injected(hint)}
    repositories = {name: owner for name, owner in injected.items() if _declares(owner)}
    nodes = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))))
    attributes = [node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    for node in attributes:
        name = node.value.id if isinstance(node.value, ast.Name) else ""
        if name in repositories:
            yield _declared(repositories[name], node.attr)
        elif name in injected and node.attr in {"session", "table"}:
            raise TypeError(f"{function.__name__} must reach the table through a repository, not {name}.{node.attr}")
    seen = [node.id for node in nodes if isinstance(node, ast.Name)]
    for name in repositories:
        if seen.count(name) != sum(isinstance(node.value, ast.Name) and node.value.id == name for node in attributes):
            raise TypeError(f"{function.__name__} must call methods of {name} itself, so that its role can be derived")
    for name in seen:
        yield used_by(function.__globals__.get(name)) or frozenset()


def _declares(owner: type) -> bool:
    """Return whether a class has methods that declare IAM actions."""
    return any(used_by(value) is not None for value in vars(owner).values())


def _declared(owner: type, name: str) -> frozenset[IamAction]:
    method = getattr(owner, name, None)
    declared = used_by(method)
    if declared is None and name not in _NO_ACCESS:
        raise TypeError(f"{owner.__name__}.{name} in {owner.__module__} must declare @uses(…)")
    return declared or frozenset()


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)


def _is_injected(hint: Any) -> bool:
    """Return whether a parameter is a repository or table injected by `handlers.http.dependencies`."""
    return any(type(each).__name__ == "Depends" for each in get_args(hint)[1:]) and isinstance(get_args(hint)[0], type)
