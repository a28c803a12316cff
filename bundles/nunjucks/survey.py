"""What is found by walking a parsed template once: its blocks, and whether it may change the values it is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from bundles.nunjucks import nodes
from bundles.nunjucks.lexer import Lexer

CHANGING = frozenset(["push", "pop", "shift", "unshift", "splice", "reverse", "sort", "fill", "copyWithin"])
# without one of these words there is nothing to find; a backslash may hide one in a text
HINT = re.compile("|".join(["block", "include", "import", "extends", *CHANGING]))
FOREIGN = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


@dataclass(frozen=True, slots=True)
class Survey:
    blocks: list[tuple[nodes.Block, bool]]  # and whether it asks for super()
    changes_values: bool


def survey(body: nodes.Body, lexer: Lexer) -> Survey:
    if not lexer.escaped and not HINT.search(lexer.source):
        return Survey([], False)
    blocks: dict[str, tuple[nodes.Block, bool]] = {}
    for node in walk(body, sets=False):  # as in the real renderer, blocks inside of `set` are unknown
        if isinstance(node, nodes.Block):
            if node.name in blocks:
                lexer.fail(f'Block "{node.name}" defined more than once.', node.place)
            blocks[node.name] = (node, asks_super(node.body))
    return Survey(list(blocks.values()), any(map(_may_change, walk(body))))


def _may_change(node: nodes.Node) -> bool:
    return isinstance(node, FOREIGN) or (isinstance(node, nodes.Lookup) and _changing(node.key))


def _changing(key: nodes.Node) -> bool:
    return isinstance(key, nodes.Literal) and key.value in CHANGING


def asks_super(body: nodes.Node) -> bool:
    return any(
        isinstance(node, nodes.Call) and isinstance(node.callee, nodes.Symbol) and node.callee.name == "super"
        for node in walk(body)
    )


def walk(node: Any, *, sets: bool = True) -> Iterator[nodes.Node]:
    """The node and all inside of it, in the order of the source; the bodies of `set` only when asked for."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if isinstance(found, nodes.Node):
            yield found
            if not sets and isinstance(found, nodes.Set) and isinstance(found.value, nodes.Capture):
                continue
            waiting.extend(getattr(found, name) for name in reversed(_fields(type(found))))
        elif isinstance(found, list | tuple):
            waiting.extend(reversed(found))


FIELDS: dict[type[nodes.Node], tuple[str, ...]] = {}


def _fields(kind: type[nodes.Node]) -> tuple[str, ...]:
    if kind not in FIELDS:
        FIELDS[kind] = tuple(each.name for each in fields(kind) if each.name != "place")
    return FIELDS[kind]
