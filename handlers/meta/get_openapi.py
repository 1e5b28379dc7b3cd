"""GET /v1/openapi.json: the OpenAPI document of this API."""

import json
from typing import Any

from handlers.http.document import openapi_json
from handlers.http.parameters import CallParameter
from handlers.http.route import PUBLIC, Api

api = Api()


@api.get("/v1/openapi.json", permission=PUBLIC)
def get_openapi(call: CallParameter) -> dict[str, Any]:
    """Return the OpenAPI document of this API."""
    document: dict[str, Any] = json.loads(openapi_json(call.base))
    return document


handler = api.handler
