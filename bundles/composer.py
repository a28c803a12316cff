"""From the events of PyYAML's C parser to a tree, on a stack of its own: counted, never recursive."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from bundles.nodes import Mapping, Node, Place, Report, Scalar, Sequence, shown
from bundles.scalars import OddValue, resolve

MAX_DEPTH = 64
MAX_VALUES = 16_000  # per file: keeps any 1 MB input under 100 ms
MAX_ALIASED = 1_000  # values that aliases may add to a file
STANDARD = "tag:yaml.org,2002:"
SCALAR_TAGS = {STANDARD + kind: kind for kind in ("str", "int", "float", "bool", "null")}


class _Stop(Exception):
    """The rest of the file is not read; the reason has been reported."""


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet."""

    node: Sequence | Mapping
    anchor: str | None
    began: int
    key: str | None = None
    key_place: Place | None = None


def compose(text: str, file: str, report: Report, *, most: int = MAX_VALUES) -> Node | None:
    composer = _Composer(file, report, most)
    try:
        composer.read(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
        report.error(place, *_syntax(wrong, text, place))
        return None
    except yaml.YAMLError as wrong:
        report.error(Place(file, 1, 1), f"the file is not YAML: {str(wrong).splitlines()[0]}")
        return None
    except _Stop:
        return None
    return composer.root or Scalar(Place(file, 1, 1), "", "null")


def _syntax(wrong: yaml.MarkedYAMLError, text: str, place: Place) -> tuple[str, str]:
    message = ", ".join(part for part in (wrong.context, wrong.problem) if part)
    return f"the file is not YAML: {message}", _advice(message, text, place)


def _advice(message: str, text: str, place: Place) -> str:
    lines = text.splitlines()
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip()) + 1]:
        return "indent with spaces, not with tabs"
    if "mapping values are not allowed" in message:
        return "put a value that contains a colon in quotes, and check the indentation"
    return ""


class _Composer:
    """Builds the tree from events on a stack of its own, counting what it builds."""

    def __init__(self, file: str, report: Report, most: int) -> None:
        self.file = file
        self.most = most
        self.report = report
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int] | None] = {}
        self.count = 0
        self.aliased = 0
        self.documents = 0

    def read(self, events: Iterator[Any]) -> None:
        handlers = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._start,
            yaml.SequenceStartEvent: self._start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        for event in events:
            if handler := handlers.get(type(event)):
                handler(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop(self._place(event), "a second YAML document begins here; one file holds one document")

    def _scalar(self, event: Any) -> None:
        place = self._place(event)
        self._count(place)
        top = self.stack[-1] if self.stack else None
        if top is not None and top.key is None and isinstance(top.node, Mapping):
            self._key(top, place, event)
            return
        node = self._value(place, event)
        if event.anchor:
            self.anchors[event.anchor] = (node, 1)
        self._add(node)

    def _value(self, place: Place, event: Any) -> Scalar:
        text, tag = self._text(place, event), event.tag
        if tag is not None and tag != "!" and tag not in SCALAR_TAGS:
            self._refuse_tag(place, tag)
        if tag in ("!", STANDARD + "str") or (tag is None and not event.implicit[0]):
            return Scalar(place, text, "str", text)
        try:
            kind, value, odd = resolve(text)
        except OddValue as wrong:
            self.report.error(place, str(wrong), "put it in quotes if it is meant as text")
            return Scalar(place, text, "str", text)
        if tag is not None and SCALAR_TAGS[tag] != kind:
            self._stop(place, f"this value is not a {SCALAR_TAGS[tag]}, as its tag says")
        return Scalar(place, text, kind, value, odd)

    def _key(self, top: _Open, place: Place, event: Any) -> None:
        if event.tag not in (None, "!", STANDARD + "str"):
            self._refuse_tag(place, event.tag)
        if event.value == "<<" and event.implicit[0]:
            self._stop(place, "merge keys (<<) are not allowed", "write the fields out")
        text = self._text(place, event)
        if event.anchor:
            self.anchors[event.anchor] = (Scalar(place, text, "str", text), 1)
        top.key, top.key_place = text, place

    def _text(self, place: Place, event: Any) -> str:
        """An escape can write what the file itself may not contain; databases refuse it."""
        text: str = event.value
        if "\0" in text:
            self._stop(place, "the text contains a NUL character")
        return text

    def _start(self, event: Any) -> None:
        place = self._place(event)
        self._count(place)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", STANDARD + ("map" if is_mapping else "seq")):
            self._refuse_tag(place, event.tag)
        if len(self.stack) >= MAX_DEPTH:
            self._stop(place, f"nested deeper than {MAX_DEPTH} levels")
        if self.stack and isinstance(self.stack[-1].node, Mapping) and self.stack[-1].key is None:
            self._stop(place, "a key must be a simple text, not a list or a mapping")
        if event.anchor:
            self.anchors[event.anchor] = None
        node = Mapping(place, {}, {}) if is_mapping else Sequence(place, [])
        self.stack.append(_Open(node, event.anchor, self.count - 1))

    def _end(self, event: Any) -> None:
        done = self.stack.pop()
        if done.anchor:
            self.anchors[done.anchor] = (done.node, self.count - done.began)
        self._add(done.node)

    def _alias(self, event: Any) -> None:
        place = self._place(event)
        if event.anchor not in self.anchors:
            self._stop(place, f"the anchor &{event.anchor[:60]} is not defined above")
        found = self.anchors[event.anchor]
        if found is None:
            self._stop(place, f"the alias *{event.anchor[:60]} refers to itself")
            return
        node, size = found
        self.aliased += size
        self.count += size
        if self.aliased > MAX_ALIASED:
            self._stop(place, f"aliases add more than {MAX_ALIASED} values to this file", "write them out")
        top = self.stack[-1] if self.stack else None
        if top is not None and top.key is None and isinstance(top.node, Mapping):
            self._stop(place, "an alias cannot be a key")
        if len(self.stack) + _depth(node) > MAX_DEPTH:
            self._stop(place, f"nested deeper than {MAX_DEPTH} levels")
        self._add(node)

    def _add(self, node: Node) -> None:
        """Trees are never changed once built, so an alias may share its node; `plain` copies."""
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node, Sequence):
            top.node.items.append(node)
            return
        key, place = top.key, top.key_place
        top.key = None
        if key is None or place is None:  # cannot be: keys come before values
            return
        if key in top.node.keys:
            first = top.node.keys[key].line
            message = f"{shown(key)} is written twice, first on line {first}, again on line {place.line}"
            self.report.error(place, message, "keep one of them")
            return
        top.node.entries[key] = node
        top.node.keys[key] = place

    def _count(self, place: Place) -> None:
        self.count += 1
        if self.count > self.most:
            self._stop(place, f"the file holds more than {self.most} values")

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _refuse_tag(self, place: Place, tag: str) -> None:
        short = tag.replace(STANDARD, "!!", 1)
        self._stop(place, f"the tag {shown(short)} is not allowed", "write a plain value")

    def _stop(self, place: Place, message: str, hint: str = "") -> None:
        self.report.error(place, message, hint)
        raise _Stop


def _depth(node: Node) -> int:
    if isinstance(node, Mapping):
        return 1 + max(map(_depth, node.entries.values()), default=0)
    if isinstance(node, Sequence):
        return 1 + max(map(_depth, node.items), default=0)
    return 0
