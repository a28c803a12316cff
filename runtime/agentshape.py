"""What a tool's description says of its arguments, `{customer, limit: integer, note?: text}`, as JSON schema."""

import re
from collections.abc import Mapping
from typing import Any

from runtime.llmtypes import EVERYTHING

SHAPE = re.compile(r"\{([^{}]{1,500})\}")
FIELD = re.compile(r"\s*[\"']?([A-Za-z_][A-Za-z0-9_]{0,63})[\"']?(\?)?\s*(?::\s*(.{1,200}?))?\s*\Z")
TYPES = {
    "text": "string", "string": "string", "number": "number", "integer": "integer", "int": "integer",
    "boolean": "boolean", "bool": "boolean", "list": "array", "array": "array", "object": "object",
}  # fmt: skip
MAX_FIELDS = 30


def schema(description: str) -> Mapping[str, Any]:
    """That of the first `{…}` that reads as a list of fields; any object when there is none."""
    for found in SHAPE.finditer(description):
        fields = [FIELD.match(part) for part in found[1].split(",")]
        if len(fields) <= MAX_FIELDS and all(fields):
            return shaped([field for field in fields if field])
    return EVERYTHING


def shaped(fields: list[re.Match[str]]) -> Mapping[str, Any]:
    properties = {field[1]: described(field[3] or "") for field in fields}
    required = [field[1] for field in fields if not field[2]]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": True}


def described(words: str) -> dict[str, Any]:
    """A type when it is the name of one, else words for the model."""
    kind = TYPES.get(words.lower())
    return {"type": kind} if kind else {"description": words} if words else {}
