"""Values with `${…}` in their texts, as flows have them in `with`: read once, filled in for each message.

A text that is one whole `${…}` keeps the expression's type. In any other text values are written as compact JSON,
texts as they are; `$${` is a literal `${`. Keys of maps are not looked at.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bundles import cel
from bundles.celerror import MAX_LEVELS, MAX_SIZE, MAX_STEPS, CelError, CelLimit
from bundles.cellexer import tokens
from bundles.celparser import tree
from bundles.celvalues import measure
from bundles.celvalues import text as shown

MAX_HOLES = 500  # expressions of one template
FEW_HOLES = 16  # so many cannot make a value much larger than what comes in

Fill = Callable[[Mapping[str, Any], list[int]], Any]  # scope, [steps left, characters left] -> value


@dataclass(frozen=True, slots=True)
class Hole:
    """One `${…}`: its expression, and where it stands in the value."""

    path: str
    column: int  # of the expression in its text, from 1
    expression: cel.Expression


class Template:
    """A value that is filled in by calling it with a scope. What is constant in it is shared: leave it as it is."""

    __slots__ = ("_fill", "_known", "_single", "bare", "constant", "holes", "names")

    def __init__(self, value: Any) -> None:
        reader = _Reader()
        fill, known = reader.read(value, "", 0)
        self._known = known
        self._fill: Fill = fill if fill else _constant(known)
        self.constant = fill is None
        self.holes: tuple[Hole, ...] = tuple(reader.holes)
        self.names = frozenset(name for hole in reader.holes for name in hole.expression.names)
        whole = isinstance(value, str) and fill is not None and reader.whole
        self._single = reader.holes[0].expression if whole else None
        self.bare = self._single.bare if self._single else ""  # "payload" when it is exactly `${payload}`

    def __call__(self, scope: Mapping[str, Any], left: list[int] | None = None) -> Any:
        """The value. What its expressions take comes from the first of ``left``, as ``Expression.metered`` has it."""
        if self.constant:
            return self._known
        left = [MAX_STEPS] if left is None else left
        if self._single:
            return self._single.metered(scope, left)
        before = left[0]
        shared = [min(before, MAX_STEPS), MAX_SIZE]
        most = shared[0]
        try:
            value = self._fill(scope, shared)
        finally:
            left[0] = before - most + shared[0]
        if len(self.holes) > FEW_HOLES:
            measure(value)
        return value

    def places(self, name: str) -> Iterator[tuple[str, int]]:
        """Where this root name is used: paths in the value, and columns."""
        for hole in self.holes:
            if name in hole.expression.names:
                yield hole.path, hole.expression.columns[name]


def compile(value: Any) -> Template:
    """Reads a value. CelError tells the path in the value and the column in the text."""
    return Template(value)


def _constant(value: Any) -> Fill:
    return lambda scope, left: value


class _Reader:
    """Walks over a value once; what holds no expression becomes a constant."""

    def __init__(self) -> None:
        self.holes: list[Hole] = []
        self.whole = False

    def read(self, value: Any, path: str, level: int) -> tuple[Fill | None, Any]:
        """How to fill it in, or None and the constant that it is."""
        if level > MAX_LEVELS:
            raise _at(CelError(f"lists and maps are nested more than {MAX_LEVELS} levels deep"), path)
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, Mapping):
            return self._map(value, path, level)
        if isinstance(value, (list, tuple)):
            return self._list(value, path, level)
        return None, value

    def _map(self, value: Mapping[Any, Any], path: str, level: int) -> tuple[Fill | None, Any]:
        read = {key: self.read(item, _inside(path, key), level + 1) for key, item in value.items()}
        if all(fill is None for fill, _ in read.values()):
            return None, {key: known for key, (_, known) in read.items()}
        fills = [(key, fill or _constant(known)) for key, (fill, known) in read.items()]
        return lambda scope, left: {key: fill(scope, left) for key, fill in fills}, None

    def _list(self, value: Any, path: str, level: int) -> tuple[Fill | None, Any]:
        read = [self.read(item, f"{path}[{place}]", level + 1) for place, item in enumerate(value)]
        if all(fill is None for fill, _ in read):
            return None, [known for _, known in read]
        fills = [fill or _constant(known) for fill, known in read]
        return lambda scope, left: [fill(scope, left) for fill in fills], None

    def _text(self, text: str, path: str) -> tuple[Fill | None, Any]:
        if "${" not in text:
            return None, text
        before = len(self.holes)
        try:
            parts = list(self._parts(text, path))
        except CelError as wrong:
            raise _at(wrong, path) from None
        fills = [part for part in parts if not isinstance(part, str)]
        if not fills:
            return None, "".join(part for part in parts if isinstance(part, str))
        self.whole = len(parts) == 1
        fill = fills[0] if self.whole else _mixed(parts, path)
        if any(hole.expression.names for hole in self.holes[before:]):
            return fill, None
        return None, fill({}, [MAX_STEPS, MAX_SIZE])

    def _parts(self, text: str, path: str) -> Iterator[str | Fill]:
        """Literal texts, and how to fill in what is between them."""
        at = 0
        while (start := text.find("${", at)) >= 0:
            if start > at and text[start - 1] == "$":
                yield text[at : start - 1] + "${"
                at = start + 2
                continue
            if start > at:
                yield text[at:start]
            expression, at = self._expression(text, start + 2, path)
            yield expression
        if at < len(text):
            yield text[at:]

    def _expression(self, text: str, start: int, path: str) -> tuple[Fill, int]:
        found, end = tokens(text, start, closed=True)
        expression = cel.of_tree(tree(found))
        if len(self.holes) == MAX_HOLES:
            raise CelError(f"more than {MAX_HOLES} expressions", start + 1)
        self.holes.append(Hole(path, start + 1, expression))
        return _filling(expression, path), end + 1


def _filling(expression: cel.Expression, path: str) -> Fill:
    """The value of one expression; all of a template share one budget of steps."""

    def fill(scope: Mapping[str, Any], left: list[int]) -> Any:
        try:
            return expression.metered(scope, left)
        except CelError as wrong:
            raise _at(wrong, path) from None

    return fill


def _mixed(parts: list[str | Fill], path: str) -> Fill:
    def fill(scope: Mapping[str, Any], left: list[int]) -> str:
        try:
            return "".join(_texts(parts, scope, left))
        except CelError as wrong:
            raise _at(wrong, path) from None

    return fill


def _texts(parts: list[str | Fill], scope: Mapping[str, Any], left: list[int]) -> Iterator[str]:
    for part in parts:
        text = part if isinstance(part, str) else shown(part(scope, left))
        left[1] -= len(text)
        if left[1] < 0:
            raise CelLimit(f"the texts are longer than {MAX_SIZE} characters together")
        yield text


def _at(wrong: CelError, path: str) -> CelError:
    wrong.path = wrong.path or path
    return wrong


def _inside(path: str, key: Any) -> str:
    name = str(key) if len(str(key)) <= 60 else str(key)[:60] + "…"
    return f"{path}.{name}" if path else name
