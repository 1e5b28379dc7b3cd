"""Finding the functions: each module below `handlers/<resource>/` that declares a route is one."""

import importlib
import pkgutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import handlers
from handlers.api import Api, Operation

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function and the route that it serves."""

    resource: str
    operation_name: str
    api: Api

    @property
    def name(self) -> str:
        """Its name in the stack, such as `CreateItem`."""
        return "".join(word.title() for word in self.operation_name.split("_"))

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
    def operation(self) -> Operation:
        """What it declares."""
        return self.api.operation

    @property
    def path(self) -> str:
        """Its path as API Gateway and OpenAPI write it: `/v1/items/{item_id}`."""
        return self.operation.path.replace("<", "{").replace(">", "}")


@cache
def functions() -> tuple[Function, ...]:
    """Return all functions, by module name."""
    return tuple(
        Function(resource.name, module.name, _api_of(resource.name, module.name))
        for resource in pkgutil.iter_modules(handlers.__path__)
        if resource.ispkg
        for module in pkgutil.iter_modules([str(Path(handlers.__path__[0]) / resource.name)])
    )


def _api_of(resource: str, module: str) -> Api:
    api: Api = importlib.import_module(f"handlers.{resource}.{module}").api
    return api
