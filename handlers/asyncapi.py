"""AsyncAPI document: the types of events, with the schemas of their data.

Build-time code: the document is deployed, this module is not. Source: AsyncAPI 3.0.0.
"""

import json
import re
from typing import Any

from pydantic.json_schema import models_json_schema

from domain import VERSION
from domain.event_data.kinds import KINDS
from domain.event_types import Event, type_of

_REFERENCES = "#/components/schemas/{model}"


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI document as JSON values."""
    wanted: Any = [(model, "serialization") for model in (Event, *KINDS.values())]
    _, schemas = models_json_schema(wanted, ref_template=_REFERENCES)
    messages = {kind: _message(kind, (model.__doc__ or "").strip()) for kind, model in KINDS.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tradepost events",
            "version": VERSION,
            "description": "Changes of a tenant's resources, as CloudEvents 1.0. GET /v1/events returns them in order.",
            "license": {"name": "Apache 2.0"},
            "tags": [{"name": each} for each in sorted({type_of(kind).split(".")[1] for kind in KINDS})],
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "/v1/events",
                "description": "Events of one tenant. Those of a subject are in order of `sequence`, without gaps.",
                "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in messages},
            }
        },
        "operations": {
            "sendEvents": {
                "action": "send",
                "description": "Shown by GET /v1/events, and posted to webhook endpoints that want their type.",
                "channel": {"$ref": "#/channels/events"},
                "messages": [{"$ref": f"#/channels/events/messages/{kind}"} for kind in messages],
            }
        },
        "components": {"messages": messages, "schemas": schemas["$defs"]},
    }


def asyncapi_json() -> str:
    """Return the document as JSON text, as stored in `docs/asyncapi.json`."""
    return json.dumps(asyncapi(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _message(kind: str, description: str) -> dict[str, Any]:
    words = " ".join(re.findall("[A-Z][a-z]+", kind)).lower()
    data = {"properties": {"type": {"const": type_of(kind)}, "data": {"$ref": f"#/components/schemas/{kind}"}}}
    return {
        "name": type_of(kind),
        "title": words.capitalize(),
        "summary": description,
        "payload": {"allOf": [{"$ref": "#/components/schemas/Event"}, data]},
    }
