"""JSON merge patch (RFC 7396)."""

from typing import Any

from pydantic import BaseModel

from domain.common.validation import validated


def merge_patch(target: Any, patch: Any) -> Any:
    """Return `target` with `patch` applied (RFC 7396, section 2). Both are parsed JSON; neither is modified."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def patched[F: BaseModel](resource: BaseModel, fields: type[F], patch: BaseModel) -> F:
    """Return those fields of a resource that clients set (`fields`), with `patch` applied. Raises ValidationFailed."""
    current = resource.model_dump(mode="json", include=set(fields.model_fields))
    return validated(fields, merge_patch(current, patch.model_dump(mode="json", exclude_unset=True)))
