"""The OpenAPI document, made from the handlers when the API is built and shipped beside them."""

import json
from functools import cache
from pathlib import Path

PATH = Path(__file__).parents[2] / "docs" / "openapi.json"


@cache
def openapi_json(base: str) -> str:
    """Return the document's text for an API whose paths begin behind `base`, such as `/dev`."""
    document = json.loads(PATH.read_text())
    return json.dumps(document | {"servers": [{"url": base or "/"}]}, ensure_ascii=False)
