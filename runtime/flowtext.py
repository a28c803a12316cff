"""The text of a flow, coloured line by line for its page."""

from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]

LARGEST = 256 * 1024  # characters that are coloured; more would keep the page waiting


def coloured(text: str, language: str) -> SafeString:
    """Each line in a span, so that numbers stand beside it and are not copied."""
    if len(text) > LARGEST:
        return format_html_join("", '<span class="line">{}\n</span>', ((line,) for line in text.splitlines()))
    html = highlight(text, get_lexer_by_name(language.lower(), stripnl=False), HtmlFormatter(nowrap=True))
    lines = ((mark_safe(line),) for line in html.splitlines())  # noqa: S308  Pygments escapes
    return format_html_join("", '<span class="line">{}\n</span>', lines)
