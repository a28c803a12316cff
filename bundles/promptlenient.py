"""The lenient reading of parameters, as upstream compiles: defaults are filled in, misfits are only warned about."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bundles.promptcheck import matches
from bundles.promptfront import Diagnostic, warning
from bundles.promptparams import Parameter
from bundles.values import shown


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


KINDS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_number,
    "float": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


class Plan:
    """What there is to do with parameters before each rendering, worked out once."""

    __slots__ = ("checked", "defaults", "needed")

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        """Inherited parameters have no defaults here: upstream merges them after defaults were filled in."""
        own = [one for one in parameters if not one.inherited]
        self.defaults = {one.name: one.default for one in own if one.has_default}
        self.needed = tuple(one for one in own if one.required and not one.has_default)
        self.checked = tuple(one for one in own if (one.typed and one.type in KINDS) or one.pattern)

    def values(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Diagnostic]]:
        """What the template sees, and warnings; when nothing was given, nothing is missing."""
        values = {**self.defaults, **given}
        found = [_missing(one) for one in self.needed if given and one.name not in given]
        for one in self.checked:
            if one.name in values:
                kind = KINDS.get(one.type) if one.typed else None
                value = values[one.name]
                if kind is not None and not kind(value):
                    said = f"the parameter {shown(one.name)} should be {one.type}"
                    found.append(warning(one.place, "WRONG_TYPE", said))
                if one.pattern or one.type == "number":
                    found += _bounds(one, value)
        return values, found


def _missing(one: Parameter) -> Diagnostic:
    return warning(one.place, "MISSING_PARAMETER", f"the parameter {shown(one.name)} is needed")


def _bounds(one: Parameter, value: Any) -> list[Diagnostic]:
    found = []
    if one.pattern and isinstance(value, str) and not matches(one.pattern, value):
        said = f"the parameter {shown(one.name)} does not match {one.pattern}"
        found.append(warning(one.place, "PATTERN", said))
    if one.warns and one.type == "number" and _is_number(value):
        if one.minimum is not None and value < one.minimum:
            found.append(warning(one.place, "RANGE", f"{shown(one.name)} is below {one.minimum:g}"))
        if one.maximum is not None and value > one.maximum:
            found.append(warning(one.place, "RANGE", f"{shown(one.name)} is above {one.maximum:g}"))
    return found
