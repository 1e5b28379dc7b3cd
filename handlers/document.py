"""The OpenAPI document, made from the handlers when the API is built and shipped beside them."""

from functools import cache
from pathlib import Path

PATH = Path(__file__).parents[1] / "docs" / "openapi.json"


@cache
def openapi_json() -> str:
    """Return the document's text."""
    return PATH.read_text()
