"""The parameters of a prompt as JSON Schema, for OpenAPI, GraphQL and tools."""

from collections.abc import Iterable
from typing import Any

from bundles.promptparams import NUMBERS, Parameter

KINDS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "float": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "array": {"type": "array"},
    "object": {"type": "object"},
    "json": {},
    "file": {"type": "string", "contentMediaType": "text/plain"},
    "base64": {"type": "string", "contentEncoding": "base64"},
}


def json_schema(parameters: Iterable[Parameter]) -> dict[str, Any]:
    """What ``check`` accepts, as far as JSON Schema can say it."""
    known = tuple(parameters)
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {one.name: of(one) for one in known},
        "additionalProperties": False,
    }
    needed = [one.name for one in known if one.required and not one.has_default]
    return schema | ({"required": needed} if needed else {})


def of(one: Parameter) -> dict[str, Any]:
    schema = dict(KINDS[one.type])
    schema |= {"description": one.description} if one.description else {}
    schema |= {"enum": list(one.enum)} if one.enum and one.type != "array" else {}
    schema |= {"default": one.default} if one.has_default else {}
    schema |= {"examples": [one.example]} if one.example is not None else {}
    return schema | _bounds(one)


def _bounds(one: Parameter) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if one.type in NUMBERS:
        found = {"minimum": one.minimum, "maximum": one.maximum}
    elif one.type in ("string", "file", "base64"):
        found = {"minLength": one.min_length, "maxLength": one.max_length, "pattern": one.pattern or None}
    elif one.type == "array":
        found = {"minItems": one.min_items, "maxItems": one.max_items}
        choices = {"enum": list(one.enum)} if one.enum else None
        found["items"] = of(one.items) if one.items else choices
    elif one.type == "object" and one.properties:
        inner = json_schema(one.properties)
        found = {"properties": inner["properties"], "required": inner.get("required")}
    return {key: value for key, value in found.items() if value is not None}
