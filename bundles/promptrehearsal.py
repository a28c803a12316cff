"""`rehearsal` of a prompt: what is answered as long as nobody has given its model a key; pure.

A text, or JSON with texts in it: each is a template that sees the parameters. `true`: the question is summed up.
"""

import json
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from bundles.nunjucks import Limits, Template, TemplateError
from bundles.prompt import Prompt
from bundles.promptfront import Diagnostic, error, is_null, warning
from bundles.values import Mapping, Node, Scalar, Sequence

KEY = "rehearsal"
STEPS, OUTPUT, SECONDS = 10_000, 100_000, 1.0
MAX_TEMPLATES = 20_000  # characters
TOO_LONG = f"the templates of a rehearsal have more than {MAX_TEMPLATES:,} characters"
TEMPLATE = ("{{", "{%", "{#")


def wished(written: Any) -> bool:
    """Whether this front matter lets a prompt be rehearsed at all."""
    return written is not None and written is not False


def words(written: Any, values: Map[str, Any]) -> str:
    """What is said for these values; empty when the question is to be summed up. Raises TemplateError."""
    if written is True:
        return ""
    filling = Filling(values)
    if isinstance(written, str):
        return filling.text(written).strip()
    return json.dumps(filling.inside(written), ensure_ascii=False)


@dataclass(slots=True)
class Filling:
    """All texts of one rehearsal share what it may take: it is said while others wait, and nobody is charged."""

    values: Map[str, Any]
    steps: int = STEPS
    room: int = OUTPUT
    characters: int = MAX_TEMPLATES

    def inside(self, written: Any) -> Any:
        if isinstance(written, dict):
            return {key: self.inside(one) for key, one in written.items()}
        if isinstance(written, list):
            return [self.inside(one) for one in written]
        return self.text(written) if isinstance(written, str) else written

    def text(self, text: str) -> str:
        if not is_template(text):
            return text
        self.characters -= len(text)
        if self.characters < 0:
            raise TemplateError(TOO_LONG)
        taken: list[int] = []
        limits = Limits(steps=self.steps, output=self.room, seconds=SECONDS, told=taken.append)
        made = Template.parse(text, name=KEY).render(self.values, limits=limits)
        self.steps, self.room = max(0, self.steps - sum(taken)), max(0, self.room - len(made))
        return made


def is_template(text: str) -> bool:
    return any(mark in text for mark in TEMPLATE)


def check(prompt: Prompt) -> tuple[Diagnostic, ...]:
    """Its problems: a value that says nothing, templates that cannot be read."""
    node = prompt.node(KEY)
    if node is None or is_null(node):
        return ()
    if isinstance(node, Scalar) and node.kind not in ("str", "bool"):
        told = "'rehearsal' must be true, a text, or JSON"
        return (warning(node.place, "INVALID_SETTING", told, "the question is summed up"),)
    found = texts(node)
    if sum(len(one.text) for one in found if is_template(one.text)) > MAX_TEMPLATES:
        return (error(node.place, "TOO_LARGE", TOO_LONG),)
    return tuple(wrong(one) for one in found if broken(one))


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
