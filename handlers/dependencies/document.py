"""Dependency of routes on the OpenAPI document, which is generated at build time and deployed with the API."""

import json
from functools import cache
from pathlib import Path
from typing import Annotated

from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

PATH = Path(__file__).parents[2] / "docs" / "openapi.json"


@cache
def openapi_json(prefix: str) -> str:
    """Return the OpenAPI document as JSON text for an API with a path prefix such as `/dev`."""
    document = json.loads(PATH.read_text())
    return json.dumps(document | {"servers": [{"url": prefix or "/"}]}, ensure_ascii=False)


def _document(request: Request) -> str:
    return openapi_json(request.context["call"].prefix)


OpenApiJson = Annotated[str, Depends(_document)]
