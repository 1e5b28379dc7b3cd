"""IAM policies of functions' roles: `uv run python -m tests.policies` rewrites the committed file."""

import json
from typing import Any

from handlers.registry import ROOT, all_functions
from infra.templates import synthesize

POLICIES = ROOT / "tests" / "infra" / "policies.json"


def granted() -> dict[str, dict[str, list[str]]]:
    """Return the IAM actions that the roles of each function grant in production, by resource."""
    template = synthesize({"stage": "prod"}).whole
    roles = {name: each["Properties"] for name, each in template["Resources"].items() if _is_role(each)}
    return {each.name: _actions(roles, each.name) for each in sorted(all_functions(), key=lambda each: each.name)}


def _is_role(resource: dict[str, Any]) -> bool:
    return bool(resource["Type"] == "AWS::IAM::Role")


def _actions(roles: dict[str, Any], function: str) -> dict[str, list[str]]:
    found: dict[str, set[str]] = {}
    for role in (f"{function}Role", f"{function}ScopedRole"):
        for policy in roles.get(role, {}).get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                for resource in _as_list(statement["Resource"]):
                    name = _name(resource) + (" (usage only)" if counts_only(statement) else "")
                    found.setdefault(name, set()).update(_as_list(statement["Action"]))
    return {resource: sorted(actions) for resource, actions in sorted(found.items())}


def counts_only(statement: dict[str, Any]) -> bool:
    """Return whether a statement is limited to the rows that count a tenant's function time."""
    keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [])
    return bool(keys) and all(key.endswith("#USAGE") for key in keys)


def _name(resource: Any) -> str:
    """Return the name of a policy's resource, without the parts that CloudFormation fills in."""
    match resource:
        case {"Fn::GetAtt": [name, _]} | {"Ref": name}:
            return str(name)
        case {"Fn::Join": [_, parts]}:
            return "".join(part if isinstance(part, str) else _name(part) for part in parts)
    return str(resource)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


if __name__ == "__main__":
    POLICIES.write_text(json.dumps(granted(), indent=2) + "\n")
    print(POLICIES)
