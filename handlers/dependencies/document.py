"""Dependencies of routes on the OpenAPI and AsyncAPI documents, which are generated at build time and deployed."""

import json
from functools import cache
from pathlib import Path
from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

_DOCS = Path(__file__).parents[2] / "docs"


@cache
def openapi_json(prefix: str) -> str:
    """Return the OpenAPI document as JSON text for an API with a path prefix such as `/dev`."""
    document = json.loads((_DOCS / "openapi.json").read_text())
    return json.dumps(document | {"servers": [{"url": prefix or "/"}]}, ensure_ascii=False)


def _openapi(request: Request) -> str:
    return openapi_json(request.context["call"].prefix)


@cache
def _asyncapi() -> str:
    return (_DOCS / "asyncapi.json").read_text()


OpenApiJson = Annotated[str, Depends(_openapi)]
AsyncApiJson = Annotated[str, Depends(_asyncapi)]
