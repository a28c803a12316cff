"""Turns the tree of an expression into closures, once; what is refused here never runs."""

from collections.abc import Callable
from typing import Any

from bundles import celfunctions, celmacros, celnodes, celoperators
from bundles.celcalls import call
from bundles.celerror import MAX_STEPS, CelError
from bundles.celnodes import Run, shown
from bundles.celparser import (
    Binary,
    Call,
    Conditional,
    Index,
    ListOf,
    Literal,
    Logic,
    MapOf,
    Name,
    Node,
    Select,
    Unary,
)
from bundles.celregex import pattern
from bundles.celvalues import KEYS

CONTAINER = 6  # nodes that a new list or map in a loop counts for
MANY_REFERENCES = 16  # more of them may multiply what comes in
# What may make values that JSON does not have.
EXOTIC = frozenset({"timestamp", "duration", "bytes", "base64.decode"})
EXOTIC_ROOTS = frozenset({"execution"})  # its `started` is a time
PATTERNS = frozenset({"matches", "regex.extract"})


class Compiler:
    """One walk over a tree. Afterwards it knows what the expression uses and needs."""

    def __init__(self) -> None:
        self.columns: dict[str, int] = {}  # root name -> where it is used first
        self.slots = 1  # of the state of an evaluation; the first is the budget
        self.exotic = False
        self._grows = False
        self._builds = False
        self._references = 0
        self._nodes = 0
        self._variables: list[str] = []

    @property
    def measured(self) -> bool:
        """Whether the result may be much larger than what came in."""
        return self._grows or (self._builds and self._references > MANY_REFERENCES)

    def compile(self, node: Node) -> Run:
        self._nodes += 1
        return KINDS[type(node)](self, node)

    # -- names and fields

    def literal(self, node: Literal) -> Run:
        self.exotic = self.exotic or isinstance(node.value, bytes)
        return celnodes.constant(node.value)

    def name(self, node: Name) -> Run:
        if node.name in self._variables:
            return celnodes.variable(self._slot(node.name))
        if node.name in celfunctions.TYPES:
            return celnodes.constant(node.name)
        self._root(node)
        return celnodes.root(node.name, node.column)

    def _slot(self, name: str) -> int:
        """Of the innermost variable with that name."""
        return len(self._variables) - self._variables[::-1].index(name)

    def _root(self, node: Name) -> None:
        if node.name in celfunctions.GROUPS:
            raise CelError(f"{node.name} is a group of functions", node.column)
        self._references += 1
        self.exotic = self.exotic or node.name in EXOTIC_ROOTS
        self.columns.setdefault(node.name, node.column)

    def select(self, node: Select) -> Run:
        operand = node.operand
        if isinstance(operand, Name) and operand.name not in {*self._variables, *celfunctions.TYPES}:
            self._root(operand)
            return celnodes.root_field(operand.name, node.field, (operand.column, node.column))
        return celnodes.select(self.compile(operand), node.field, node.column)

    def index(self, node: Index) -> Run:
        if isinstance(node.key, Literal) and isinstance(node.key.value, str):
            return self.select(Select(node.column, node.depth, node.operand, node.key.value))
        return celnodes.index(self.compile(node.operand), self.compile(node.key), node.column)

    # -- operators

    def unary(self, node: Unary) -> Run:
        make = celnodes.negation if node.op == "!" else celoperators.minus
        return make(self.compile(node.operand), node.column)

    def logic(self, node: Logic) -> Run:
        parts = tuple(self.compile(part) for part in node.parts)
        return celnodes.logic(parts, tuple(part.column for part in node.parts), node.op == "||")

    def conditional(self, node: Conditional) -> Run:
        test, then, otherwise = map(self.compile, (node.test, node.then, node.otherwise))
        return celnodes.conditional(test, then, otherwise, node.test.column)

    def binary(self, node: Binary) -> Run:
        if node.op in celoperators.OPERATIONS:
            left, right = self.compile(node.left), self.compile(node.right)
            return celoperators.arithmetic(node.op, left, right, node.column)
        if node.op in celoperators.COMPARING:
            return self._comparison(node)
        return self._membership(node) if node.op == "in" else self._equality(node)

    def _comparison(self, node: Binary) -> Run:
        left, right = self.compile(node.left), self.compile(node.right)
        if isinstance(node.right, Literal) and type(node.right.value) in (int, float):
            number: Any = node.right.value
            return celoperators.comparison_with(node.op, left, number, node.column)
        return celoperators.comparison(node.op, left, right, node.column)

    def _equality(self, node: Binary) -> Run:
        left, right = self.compile(node.left), self.compile(node.right)
        if isinstance(node.right, Literal) and not isinstance(node.right.value, bytes):
            return celoperators.equality_with(left, node.right.value, node.op == "==")
        return celoperators.equality(left, right, node.op == "==")

    def _membership(self, node: Binary) -> Run:
        left, right = self.compile(node.left), self.compile(node.right)
        items = node.right.items if isinstance(node.right, ListOf) else ()
        texts = [item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str)]
        if texts and len(texts) == len(items):
            return celoperators.membership_of(left, frozenset(texts))
        return celoperators.membership(left, right, node.column)

    # -- lists and maps

    def list_of(self, node: ListOf) -> Run:
        self._builds = True
        self._nodes += CONTAINER
        return celnodes.list_of(tuple(self.compile(item) for item in node.items))

    def map_of(self, node: MapOf) -> Run:
        self._builds = True
        self._nodes += CONTAINER
        for key, _ in node.entries:
            if isinstance(key, Literal) and type(key.value) not in (str, int):
                raise CelError(f"keys of a map are {KEYS}", key.column)
            self.exotic = self.exotic or not (isinstance(key, Literal) and isinstance(key.value, str))
        return celnodes.map_of(
            tuple((self.compile(key), self.compile(value), key.column) for key, value in node.entries)
        )

    # -- calls

    def call(self, node: Call) -> Run:
        if node.target is None:
            return self._function(node)
        if isinstance(node.target, Name) and node.target.name in celfunctions.GROUPS - {*self._variables}:
            return self._called(node, f"{node.target.name}.{node.name}", node.args, method=False)
        if node.name in celmacros.ONE:
            return self._macro(node, node.target)
        return self._called(node, node.name, (node.target, *node.args), method=True)

    def _function(self, node: Call) -> Run:
        if node.name == "has":
            return self._has(node)
        if node.name == "default":
            value, otherwise = (self.compile(arg) for arg in self._exactly(node, 2))
            return celmacros.default(value, otherwise)
        return self._called(node, node.name, node.args, method=False)

    def _exactly(self, node: Call, count: int) -> tuple[Node, ...]:
        if len(node.args) != count:
            raise CelError(f"{node.name} takes {count} argument{'s' * (count > 1)}", node.column)
        return node.args

    def _has(self, node: Call) -> Run:
        (arg,) = self._exactly(node, 1)
        if isinstance(arg, Select):
            return celnodes.has(self.compile(arg.operand), arg.field, arg.column)
        if isinstance(arg, Index) and isinstance(arg.key, Literal) and isinstance(arg.key.value, str):
            return celnodes.has(self.compile(arg.operand), arg.key.value, arg.column)
        raise CelError("has needs a field, as has(payload.total)", node.column)

    def _called(self, node: Call, name: str, args: tuple[Node, ...], *, method: bool) -> Run:
        function = celfunctions.find(name, method=method)
        if not function:
            raise CelError(celfunctions.unknown(name, method=method), node.column)
        if not function.args[0] <= len(args) <= function.args[1]:
            raise CelError(f"write it as {function.signature}", node.column)
        self.exotic = self.exotic or name in EXOTIC
        self._builds = True
        self._nodes += function.nodes
        if name in PATTERNS:
            self._check_pattern(args[1])
        run = call(function, tuple(self.compile(arg) for arg in args), node.column)
        return self._folded(run, args) if function.cost != "work" else run

    def _check_pattern(self, node: Node) -> None:
        if isinstance(node, Literal) and isinstance(node.value, str):
            try:
                pattern(node.value)
            except CelError as wrong:
                raise CelError(wrong.message, node.column) from None

    def _folded(self, run: Run, args: tuple[Node, ...]) -> Run:
        """What only has literals as arguments is called once; what fails is left to fail in its time."""
        if not all(isinstance(arg, Literal) for arg in args):
            return run
        try:
            value = run({}, [MAX_STEPS])
        except CelError:
            return run
        return run if isinstance(value, list) else celnodes.constant(value)

    def _macro(self, node: Call, target: Node) -> Run:
        counts = (2, 3) if node.name == "map" else (2, 2)
        if not counts[0] <= len(node.args) <= counts[1]:
            raise CelError(f"write it as list.{node.name}(x, …) with x for each element", node.column)
        over = self.compile(target)
        slot, before = self._enter(node.args[0]), self._nodes
        bodies = [self.compile(arg) for arg in node.args[1:]]
        self._variables.pop()
        loop = celmacros.Loop(over, slot, 1 + self._nodes - before, node.column)
        self._grows = self._grows or node.name == "map"
        if len(bodies) == 2:
            return celmacros.chosen(loop, bodies[0], bodies[1])
        return celmacros.ONE[node.name](loop, bodies[0])

    def _enter(self, variable: Node) -> int:
        if not isinstance(variable, Name):
            raise CelError("the first argument is a name for each element", variable.column)
        if variable.name in celfunctions.TYPES | celfunctions.GROUPS:
            raise CelError(
                f"{shown(variable.name)} has a meaning already, choose another name", variable.column
            )
        self._variables.append(variable.name)
        self.slots = max(self.slots, 1 + len(self._variables))
        return len(self._variables)


KINDS: dict[type[Node], Callable[[Compiler, Any], Run]] = {
    Literal: Compiler.literal,
    Name: Compiler.name,
    Select: Compiler.select,
    Index: Compiler.index,
    Unary: Compiler.unary,
    Logic: Compiler.logic,
    Conditional: Compiler.conditional,
    Binary: Compiler.binary,
    ListOf: Compiler.list_of,
    MapOf: Compiler.map_of,
    Call: Compiler.call,
}
