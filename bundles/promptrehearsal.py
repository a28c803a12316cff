"""`rehearsal` of a prompt: what is answered as long as nobody has given its model a key; pure.

A text, or JSON with texts in it: each is a template that sees the parameters. `true`: the question is summed up.
"""

import json
from collections.abc import Mapping as Map
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bundles.nunjucks import Limits, Template, TemplateError
from bundles.prompt import Prompt
from bundles.promptfront import Diagnostic, error, is_null, warning
from bundles.values import Mapping, Node, Scalar, Sequence

KEY = "rehearsal"
STEPS = 10_000  # of all its templates together: it is said while others wait
MOST = 10_000  # characters of all its templates
OUTPUT = 100_000
MARKS = ("{{", "{%", "{#")
LONG = f"its templates have more than {MOST:,} characters"


def wished(written: Any) -> bool:
    """Whether this front matter lets a prompt be rehearsed at all."""
    return written is not None and written is not False


def words(written: Any, values: Map[str, Any]) -> str:
    """What is said for these values; empty when the question is to be summed up. Raises TemplateError."""
    if written is True:
        return ""
    saying = Saying(values)
    if isinstance(written, str):
        return saying.text(written).strip()
    return json.dumps(saying.value(written), ensure_ascii=False)


@dataclass(slots=True)
class Saying:
    """One rehearsal, and what is left for it."""

    values: Map[str, Any]
    steps: int = STEPS
    characters: int = MOST
    room: int = OUTPUT

    def value(self, written: Any) -> Any:
        if isinstance(written, dict):
            return {key: self.value(one) for key, one in written.items()}
        if isinstance(written, list):
            return [self.value(one) for one in written]
        return self.text(written) if isinstance(written, str) else written

    def text(self, written: str) -> str:
        if not marked(written):
            return written
        self.characters -= len(written)
        if self.characters < 0:
            raise TemplateError(LONG, name=KEY)
        limits = Limits(steps=self.steps, output=self.room, seconds=1.0, told=self.spend)
        made = template(written).render(self.values, limits=limits)
        self.room -= len(made)
        return made

    def spend(self, steps: int) -> None:
        self.steps = max(0, self.steps - max(1, steps))


def marked(text: str) -> bool:
    return any(mark in text for mark in MARKS)


@lru_cache(maxsize=64)
def template(text: str) -> Template:
    return Template.parse(text, name=KEY)


def check(prompt: Prompt) -> tuple[Diagnostic, ...]:
    """Its problems: a value that says nothing, templates that are too long or cannot be read."""
    node = prompt.node(KEY)
    if node is None or is_null(node):
        return ()
    if isinstance(node, Scalar) and node.kind not in ("str", "bool"):
        told = "'rehearsal' must be true, a text, or JSON"
        return (warning(node.place, "INVALID_SETTING", told, "its words are what stands here"),)
    templates = [one for one in texts(node) if marked(one.text)]
    if sum(len(one.text) for one in templates) > MOST:
        return (error(node.place, "TOO_LARGE", f"the rehearsal is too long: {LONG}"),)
    return tuple(found for one in templates if (found := broken(one)))


def texts(node: Node) -> list[Scalar]:
    if isinstance(node, Mapping):
        return [one for value in node.entries.values() for one in texts(value)]
    if isinstance(node, Sequence):
        return [one for value in node.items for one in texts(value)]
    return [node]


def broken(node: Scalar) -> Diagnostic | None:
    try:
        template(node.text)
    except TemplateError as wrong:
        said = f"the text of the rehearsal is no template: {wrong.message}"
        return error(node.place, "TEMPLATE_SYNTAX_ERROR", said)
    return None
