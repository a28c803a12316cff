"""The tree of a YAML file, which knows where everything stands, and the problems found in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from bundles import names
from bundles.scalars import Kind

MAX_PROBLEMS = 200  # of each severity; more help nobody
MAX_HINTS = 40

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, exactly where (lines and columns from 1), and what may help."""

    severity: Severity
    file: str
    line: int
    column: int
    message: str
    hint: str = ""


class Place(NamedTuple):
    """A position in a file, from 1."""

    file: str
    line: int
    column: int


NOWHERE = Place("", 1, 1)


@dataclass(slots=True)
class Scalar:
    """A single value; `text` as written, `value` as YAML understands it, `odd` when that may surprise."""

    place: Place
    text: str
    kind: Kind = "str"
    value: str | int | float | bool | None = None
    odd: str = ""


@dataclass(slots=True)
class Sequence:
    """A list."""

    place: Place
    items: list["Node"]


@dataclass(slots=True)
class Mapping:
    """Keys (always as text) with their values and their places, in the order of the file."""

    place: Place
    entries: dict[str, "Node"]
    keys: dict[str, Place]


Node = Scalar | Sequence | Mapping


@dataclass(slots=True)
class Document:
    """What a file holds; `root` is None when it could not be read."""

    root: Node | None
    problems: tuple[Problem, ...]


class Report:
    """Collects problems; past the limit they are only counted."""

    def __init__(self) -> None:
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.dropped = 0
        self.hints = 0

    def error(self, place: Place, message: str, hint: str = "") -> None:
        self._add(self.errors, Problem("error", *place, message, hint))

    def warning(self, place: Place, message: str, hint: str = "") -> None:
        self._add(self.warnings, Problem("warning", *place, message, hint))

    def extend(self, problems: tuple[Problem, ...]) -> None:
        for problem in problems:
            self._add(self.errors if problem.severity == "error" else self.warnings, problem)

    def meant(self, word: str, among: Iterable[str]) -> str:
        """`, did you mean 'x'?` or nothing; comparing names is slow, so a report has only so many of them."""
        if self.hints >= MAX_HINTS:
            return ""
        self.hints += 1
        return names.did_you_mean(word, among)

    def problems(self) -> tuple[Problem, ...]:
        found = sorted({*self.errors, *self.warnings}, key=lambda p: (p.file, p.line, p.column, p.message))
        if self.dropped:
            message = f"{self.dropped} more problems are not shown"
            found.append(Problem("warning", found[0].file, 1, 1, message))
        return tuple(found)

    def _add(self, among: list[Problem], problem: Problem) -> None:
        if len(among) < MAX_PROBLEMS:
            among.append(problem)
        else:
            self.dropped += 1


def plain(node: Node) -> Any:
    """Ordinary Python values, freshly made at every call, JSON-able; dates stay text."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.text if node.kind == "date" else node.value


def shown(text: str) -> str:
    """A text of strangers, short and visible, in quotes, for a message."""
    short = text if len(text) <= 60 else text[:57] + "..."
    if not short.isprintable():
        short = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
    return f"'{short}'"
