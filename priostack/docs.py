"""The documentation at /docs: Markdown of templates/docs as pages with anchors, a table of contents and coloured code."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

from priostack.templatetags.ui import icon

FOLDER = Path(settings.BASE_DIR) / "templates" / "docs"
# The order of reading: sections with (page, title in the navigation).
PLAN: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Start",
        (("index", "Quick start"), ("tutorial", "Tutorial: a shop"), ("first-flow", "Tutorial: a flow")),
    ),
    (
        "Concepts",
        (
            ("bundles", "Bundles"),
            ("services", "Services"),
            ("interceptors", "Interceptors"),
            ("intents", "Intents"),
            ("goals", "Goals and metrics"),
            ("wasm", "WASM modules"),
            ("contracts", "Resource contracts"),
            ("market", "The market"),
            ("wallet", "Wallet and plans"),
            ("canvas", "The canvas"),
            ("code", "Functions in the editor"),
        ),
    ),
    (
        "Reference",
        (
            ("yaml", "YAML fields"),
            ("flows", "Flow files"),
            ("agents", "Models and servers"),
            ("prompts", "Prompts"),
            ("python", "From Python"),
            ("expressions", "Expressions"),
            ("host", "Functions and host"),
            ("data-plane", "Calling your API"),
            ("api-tools", "OpenAPI and GraphQL"),
            ("rest", "REST API"),
            ("triggers", "Triggers"),
            ("live", "Live logs"),
            ("git", "Git"),
            ("errors", "Errors"),
            ("security", "Security"),
        ),
    ),
    (
        "Operation",
        (
            ("settings", "Settings"),
            ("commands", "Commands"),
            ("operations", "Operations"),
            ("scaling", "Several machines"),
            ("fairness", "Fairness of the market"),
            ("bench", "Speed and size"),  # written by `manage.py bench --markdown`
        ),
    ),
)
CONTENTS = tuple(
    (title, tuple(page for page in pages if (FOLDER / f"{page[0]}.md").is_file())) for title, pages in PLAN
)
PAGES: dict[str, str] = {slug: title for _, pages in CONTENTS for slug, title in pages}
CODE = (
    '<div class="docs-code"><pre id="{anchor}" tabindex="0"><code class="language-{language}">{code}</code></pre>'
    '<button type="button" class="btn" data-variant="ghost" data-size="icon-sm" data-copy-from="#{anchor}" '
    'aria-label="Copy the code">{icon}</button></div>\n'
)
NOT_IN_ANCHORS = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Heading:
    """A place on a page that one can link to."""

    anchor: str
    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page, ready to be shown."""

    slug: str
    title: str
    html: str
    headings: tuple[Heading, ...]


def page(slug: str) -> Page | None:
    """The page of that name, rendered again only when its file changed."""
    if slug not in PAGES:
        return None
    path = FOLDER / f"{slug}.md"
    return _rendered(slug, path.stat().st_mtime_ns)


def neighbours(slug: str) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """The pages before and after it, as (name, title)."""
    order = list(PAGES.items())
    at = list(PAGES).index(slug)
    return (order[at - 1] if at else None), (order[at + 1] if at + 1 < len(order) else None)


@lru_cache(maxsize=64)
def _rendered(slug: str, _changed: int) -> Page:
    text = (FOLDER / f"{slug}.md").read_text(encoding="utf-8")
    html, headings = render(text)
    title = next((heading.text for heading in headings if heading.level == 1), PAGES[slug])
    return Page(slug, title, html, tuple(heading for heading in headings if heading.level > 1))


def render(text: str) -> tuple[str, list[Heading]]:
    """HTML without inline styles or raw HTML, and the headings that got anchors."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("fence", _fence)
    tokens = markdown.parse(text)
    for token in tokens:  # a column's alignment: the content security policy refuses style attributes
        if style := token.attrs.pop("style", ""):
            token.attrSet("class", str(style).replace("text-align:", "text-"))
    headings = list(_anchored(tokens))
    return markdown.renderer.render(tokens, markdown.options, {}), headings


def _anchored(tokens: Sequence[Token]) -> list[Heading]:
    found: dict[str, Heading] = {}
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        words = "".join(child.content for child in inline.children or ())
        base = anchor = NOT_IN_ANCHORS.sub("-", words.lower()).strip("-") or "section"
        count = 1
        while anchor in found:
            count += 1
            anchor = f"{base}-{count}"
        opening.attrSet("id", anchor)
        found[anchor] = Heading(anchor, words, int(opening.tag[1]))
    return list(found.values())


def _fence(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return _code(tokens[index].content, tokens[index].info.strip(), f"code-{index}")


def _code(source: str, language: str, anchor: str) -> str:
    """A block of code with a button that copies it; it scrolls by itself, so the keyboard must be able to reach it."""
    try:
        lexer = get_lexer_by_name(language or "text")
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    coloured = mark_safe(highlight(source, lexer, HtmlFormatter(nowrap=True)))  # noqa: S308  Pygments escapes
    return format_html(CODE, anchor=anchor, language=language or "text", code=coloured, icon=icon("copy"))
