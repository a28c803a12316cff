"""Operators by JavaScript's precedence, compiled from a row of operands as the real renderer writes them."""

from collections.abc import Callable
from typing import Any

from bundles.nunjucks import numbers, values
from bundles.nunjucks.frames import Unit
from bundles.nunjucks.limits import Run

Expr = Callable[[Unit], Any]
Binary = Callable[[Run, Any, Any], Any]


def numeric(operation: Callable[[float, float], float]) -> Binary:
    def apply(run: Run, left: Any, right: Any) -> Any:
        return operation(values.number(run, left), values.number(run, right))

    return apply


OPERATIONS: dict[str, Binary] = {
    "==": values.loose,
    "!=": lambda run, left, right: not values.loose(run, left, right),
    "===": lambda run, left, right: values.strict(left, right),
    "!==": lambda run, left, right: not values.strict(left, right),
    "<": values.less,
    ">": lambda run, left, right: values.less(run, right, left),
    "<=": values.at_most,
    ">=": lambda run, left, right: values.at_most(run, right, left),
    "+": values.add,
    "-": numeric(lambda left, right: numbers.add(left, -right)),
    "*": numeric(numbers.multiply),
    "/": numeric(numbers.divide),
    "%": numeric(numbers.modulo),
}
PRECEDENCE = {
    **{"||": 1, "&&": 2},
    **dict.fromkeys(["==", "!=", "===", "!=="], 3),
    **dict.fromkeys(["<", ">", "<=", ">="], 4),
    **{"+": 5, "-": 5, "*": 6, "/": 6, "%": 6},
}
UNARY = {"!", "u-", "u+"}


class Climber:
    """Reads a row of operands (compiled) and operators (texts) once, from left to right."""

    def __init__(self, row: list[Expr | str]) -> None:
        self.row = row
        self.at = 0

    def read(self, level: int = 1) -> Expr:
        left = self._operand()
        while self.at < len(self.row):
            found = PRECEDENCE[str(self.row[self.at])]
            if found < level:
                break
            left = self._chain(left, found)
        return left

    def _operand(self) -> Expr:
        item = self.row[self.at]
        self.at += 1
        if isinstance(item, str):
            return unary(item, self._operand())
        return item

    def _chain(self, left: Expr, level: int) -> Expr:
        """All operators of one level that follow each other."""
        rest: list[tuple[str, Expr]] = []
        while self.at < len(self.row) and PRECEDENCE[str(operator := self.row[self.at])] == level:
            self.at += 1
            rest.append((str(operator), self.read(level + 1)))
        if level <= 2:
            return logical([left, *(each for _, each in rest)], level == 1)
        return binary(left, *rest[0]) if len(rest) == 1 else folded(left, rest)


def unary(operator: str, operand: Expr) -> Expr:
    if operator == "!":
        return negation(operand)
    if operator == "u-":
        return lambda unit: numbers.negate(values.number(unit.run, operand(unit)))
    return lambda unit: values.number(unit.run, operand(unit))


def negation(operand: Expr) -> Expr:
    def negate(unit: Unit) -> Any:
        value = operand(unit)
        return value is False or (value is not True and not values.truthy(value))

    return negate


def logical(operands: list[Expr], wanted: bool) -> Expr:
    """|| gives the first true operand, && the first false one; both else the last."""

    def choose(unit: Unit) -> Any:
        value: Any = None
        for operand in operands:
            value = operand(unit)
            if values.truthy(value) is wanted:
                return value
        return value

    return choose


def binary(left: Expr, operator: str, right: Expr) -> Expr:
    operation = OPERATIONS[operator]
    if operator in ("==", "===", "!=", "!=="):
        return equality(left, operator, right)

    def apply(unit: Unit) -> Any:
        return operation(unit.run, left(unit), right(unit))

    return apply


def equality(left: Expr, operator: str, right: Expr) -> Expr:
    """Two texts are compared right here: the usual case."""
    operation = OPERATIONS[operator]
    equal = not operator.startswith("!")

    def compare(unit: Unit) -> Any:
        one, two = left(unit), right(unit)
        if type(one) is str and type(two) is str:
            return (one == two) is equal
        return operation(unit.run, one, two)

    return compare


def folded(first: Expr, rest: list[tuple[str, Expr]]) -> Expr:
    steps = [(OPERATIONS[operator], operand) for operator, operand in rest]

    def fold(unit: Unit) -> Any:
        run, value = unit.run, first(unit)
        for operation, operand in steps:
            value = operation(run, value, operand(unit))
        return value

    return fold
