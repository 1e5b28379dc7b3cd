"""Changes to the schemas that pydantic generates, for the sake of client generators.

Build-time code, like `handlers.openapi`.
"""

import json
from typing import Any

from domain.common.iso.currencies import MINOR_UNITS


def without_json_values(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return schemas with any JSON value as `{}`: generators make a type of a named schema, which refuses null."""
    text = json.dumps({name: schema for name, schema in schemas.items() if name != "JsonValue"})
    replaced: dict[str, Any] = json.loads(text.replace('{"$ref": "#/components/schemas/JsonValue"}', "{}"))
    return replaced


def describe_defaults(schemas: dict[str, Any]) -> None:
    """Move the defaults of properties to their descriptions: some generators require properties with a default."""
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            default = field.pop("default", None)
            if default not in (None, {}, []) and "const" not in field:
                field["description"] = f"{field.get('description', '')} Default: `{json.dumps(default)}`.".strip()


def share_currencies(schemas: dict[str, Any]) -> None:
    """Replace each list of currencies by a reference to one schema, so that clients have one type."""
    codes = sorted(MINOR_UNITS)
    reference = {"$ref": "#/components/schemas/Currency"}

    def shared(value: Any) -> Any:
        if isinstance(value, dict):
            return (
                reference
                if sorted(value.get("enum", ())) == codes
                else {name: shared(each) for name, each in value.items()}
            )
        return [shared(each) for each in value] if isinstance(value, list) else value

    schemas.update(shared(schemas))
    description = "Code of a currency (ISO 4217)."
    schemas["Currency"] = {"title": "Currency", "description": description, "type": "string", "enum": codes}


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a parameter that may be left out; in a URL there is no null."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}  # some generators lose the type if there is a default, too
    types: list[dict[str, Any]] = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(types) != 1:
        return schema
    return {name: value for name, value in schema.items() if name != "anyOf"} | types[0]
