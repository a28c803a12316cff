"""JSON Schemas made fit for everybody's tools: what only our own reading understands is left out."""

import math
import re
from typing import Any

# Spelled in RE2 alone, or read otherwise by ECMA-262: flags, anchors, classes by name, quoting.
FOREIGN = re.compile(r"\(\?(?![:])|\\[AzQECpP]|\[\[:|\\x\{|\\a|\\C")
BOUNDS = ("minimum", "maximum")


def tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """The same without patterns that other engines read otherwise, and without bounds that JSON cannot write."""
    found = {key: value for key, value in schema.items() if _kept(key, value)}
    if "properties" in found:
        found["properties"] = {name: tidy(one) for name, one in found["properties"].items()}
    if isinstance(found.get("items"), dict):
        found["items"] = tidy(found["items"])
    return found


def _kept(key: str, value: Any) -> bool:
    if key == "pattern":
        return FOREIGN.search(value) is None and _readable(value)
    if key in BOUNDS:
        return math.isfinite(value)
    return key not in ("default", "enum", "examples") or _writable(value)


def _readable(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _writable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list | tuple):
        return all(_writable(one) for one in value)
    if isinstance(value, dict):
        return all(_writable(one) for one in value.values())
    return True
