"""Template filters for runs: values as readable text, microseconds as milliseconds."""

import json
from typing import Any

from django import template

register = template.Library()


@register.filter
def pretty(value: Any) -> str:
    """JSON with its indents; text as it is."""
    if isinstance(value, str):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.filter
def millis(microseconds: int | None) -> str:
    return f"{(microseconds or 0) / 1000:,.1f}"


@register.filter
def unlocalized(number: float) -> str:
    """A number for an attribute of SVG: never with a comma."""
    return f"{number:.2f}"


@register.filter
def took(microseconds: int | None) -> str:
    """Short times in µs, so that a step is never shown as nothing."""
    spent = microseconds or 0
    return f"{spent} µs" if spent < 1000 else f"{spent / 1000:,.1f} ms"
