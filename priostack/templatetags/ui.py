"""Template tags of the shell: icons, the current place in the menu, sparklines."""

from collections.abc import Sequence

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bundles.duration import written

register = template.Library()
register.filter("duration", written)
WIDTH, HEIGHT = 100.0, 24.0


@register.simple_tag
def icon(name: str, css: str = "size-4") -> SafeString:
    """A shape of static/img/icons.svg, hidden from screen readers: the text beside it speaks."""
    sprite = static("img/icons.svg")
    return format_html(
        '<svg class="{} shrink-0" aria-hidden="true"><use href="{}#{}"></use></svg>', css, sprite, name
    )


@register.filter
def within(path: str, base: str) -> bool:
    """Whether a page at ``path`` belongs to the menu entry at ``base``."""
    return path == base or path.startswith(base.rstrip("/") + "/")


@register.filter
def sparkline(values: Sequence[float]) -> str:
    """Points for an SVG polyline in a 100 × 24 box, the highest value at the top."""
    if not values:
        return ""
    low, high = min(values), max(values)
    step = WIDTH / max(len(values) - 1, 1)
    span = (high - low) or 1.0
    return " ".join(f"{i * step:.1f},{HEIGHT - (v - low) / span * HEIGHT:.1f}" for i, v in enumerate(values))
