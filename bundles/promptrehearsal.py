"""`rehearsal` of a prompt: what is answered as long as nobody has given its model a key; pure.

A text, or JSON with texts in it: each is a template that sees the parameters. `true`: the question is summed up.
"""

import json
from collections.abc import Mapping as Map
from typing import Any

from bundles.nunjucks import Limits, Template, TemplateError
from bundles.prompt import Prompt
from bundles.promptfront import Diagnostic, error, is_null, warning
from bundles.values import Mapping, Node, Scalar, Sequence

KEY = "rehearsal"
LIMITS = Limits(steps=10_000, output=100_000, seconds=1.0)
TEMPLATE = ("{{", "{%", "{#")


def wished(written: Any) -> bool:
    """Whether this front matter lets a prompt be rehearsed at all."""
    return written is not None and written is not False


def words(written: Any, values: Map[str, Any]) -> str:
    """What is said for these values; empty when the question is to be summed up. Raises TemplateError."""
    if written is True:
        return ""
    if isinstance(written, str):
        return filled(written, values).strip()
    return json.dumps(inside(written, values), ensure_ascii=False)


def inside(written: Any, values: Map[str, Any]) -> Any:
    if isinstance(written, dict):
        return {key: inside(one, values) for key, one in written.items()}
    if isinstance(written, list):
        return [inside(one, values) for one in written]
    return filled(written, values) if isinstance(written, str) else written


def filled(text: str, values: Map[str, Any]) -> str:
    if not any(mark in text for mark in TEMPLATE):
        return text
    return Template.parse(text, name=KEY).render(values, limits=LIMITS)


def check(prompt: Prompt) -> tuple[Diagnostic, ...]:
    """Its problems: a value that says nothing, templates that cannot be read."""
    node = prompt.node(KEY)
    if node is None or is_null(node):
        return ()
    if isinstance(node, Scalar) and node.kind not in ("str", "bool"):
        told = "'rehearsal' must be true, a text, or JSON"
        return (warning(node.place, "INVALID_SETTING", told, "the question is summed up"),)
    return tuple(wrong(one) for one in texts(node) if broken(one))


def texts(node: Node) -> list[Scalar]:
    if isinstance(node, Mapping):
        return [one for value in node.entries.values() for one in texts(value)]
    if isinstance(node, Sequence):
        return [one for value in node.items for one in texts(value)]
    return [node]


def broken(node: Scalar) -> str:
    try:
        Template.parse(node.text, name=KEY)
    except TemplateError as problem:
        return problem.message
    return ""


def wrong(node: Scalar) -> Diagnostic:
    return error(
        node.place, "TEMPLATE_SYNTAX_ERROR", f"the text of the rehearsal is no template: {broken(node)}"
    )
