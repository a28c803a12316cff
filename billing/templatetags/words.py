"""Template filters that turn values into words."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def listed(value: Any) -> str:
    """A list as people write one; anything else as it is."""
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
