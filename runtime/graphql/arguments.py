"""Arguments from parameters: their types, non-null, defaults, and enums where the values are names."""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLFloat,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)

from bundles.promptcheck import check
from bundles.promptparams import Parameter
from runtime.graphql.names import Names, is_enum_value, name_of, type_name
from runtime.graphql.scalars import JSON, LONG, OURS, fits_int

SIMPLE: dict[str, GraphQLScalarType] = {
    "string": GraphQLString,
    "file": GraphQLString,
    "base64": GraphQLString,
    "number": GraphQLFloat,
    "float": GraphQLFloat,
    "boolean": GraphQLBoolean,
}
MOST_VALUES = 100  # of an enum


@dataclass(slots=True)
class Arguments:
    """Makes the arguments of fields; enums are types, whose names are unique in a schema."""

    types: Names = field(default_factory=lambda: Names(*OURS))

    def of(self, owner: str, parameters: tuple[Parameter, ...]) -> dict[str, GraphQLArgument]:
        """By their names in GraphQL; a resolver gets them by the names of the parameters."""
        names = Names()
        return {names.take(name_of(one.name)): self.argument(owner, one) for one in parameters}

    def argument(self, owner: str, one: Parameter) -> GraphQLArgument:
        kind = self.type_of(owner, one)
        default = written(one, kind) if one.has_default else Undefined
        if one.required and not one.has_default and kind is not JSON:
            kind = GraphQLNonNull(kind)
        return GraphQLArgument(kind, default, description=told(one), out_name=one.name)

    def type_of(self, owner: str, one: Parameter) -> Any:
        if one.enum and one.type == "string":
            return self.enum(owner, one) or GraphQLString
        if one.type == "integer":
            return GraphQLInt if fits_int(one.minimum, one.maximum, one.default, *one.enum) else LONG
        if one.type == "array":
            item = self.item(owner, one)
            return JSON if item is None else GraphQLList(item)
        return SIMPLE.get(one.type, JSON)

    def item(self, owner: str, one: Parameter) -> GraphQLInputType | None:
        """What a list is of; None when it is of anything."""
        if one.items is None:
            return self.choice(owner, one)
        kind = self.type_of(f"{owner} {one.name}", one.items)
        return JSON if kind is JSON else GraphQLNonNull(kind)

    def choice(self, owner: str, one: Parameter) -> GraphQLInputType | None:
        kind = self.enum(owner, one) if one.enum else None
        return None if kind is None else GraphQLNonNull(kind)

    def enum(self, owner: str, one: Parameter) -> GraphQLEnumType | None:
        """Only when each value can be a name: other values stay texts, and are checked when they come."""
        if len(one.enum) > MOST_VALUES or not all(is_enum_value(value) for value in one.enum):
            return None
        name = self.types.take(type_name(owner, one.name))
        return GraphQLEnumType(name, {value: GraphQLEnumValue(value) for value in dict.fromkeys(one.enum)})


def written(one: Parameter, kind: Any) -> Any:
    """The default as the schema may show it; one that does not fit is filled in where values are checked."""
    result = check([one], {one.name: one.default})
    if result.errors or one.default is None or not shows(one.default, kind):
        return Undefined
    return result.values[one.name]


def shows(value: Any, kind: Any) -> bool:
    """Whether a default is written with this type as it is."""
    if isinstance(kind, GraphQLNonNull):
        return value is not None and shows(value, kind.of_type)
    if isinstance(kind, GraphQLList):
        return isinstance(value, list) and all(shows(item, kind.of_type) for item in value)
    if isinstance(kind, GraphQLEnumType):
        return value in kind.values
    if kind is JSON:
        return False
    if kind is GraphQLBoolean:
        return isinstance(value, bool)
    if kind is GraphQLString:
        return isinstance(value, str)
    return isinstance(value, int | float) and not isinstance(value, bool)


def told(one: Parameter) -> str | None:
    """The description, with what no type can say."""
    says = [one.description] if one.description else []
    bounds = (
        ("at least", one.minimum),
        ("at most", one.maximum),
        ("characters at least", one.min_length),
        ("characters at most", one.max_length),
        ("elements at least", one.min_items),
        ("elements at most", one.max_items),
        ("pattern", one.pattern or None),
    )
    says += [
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in bounds
        if value is not None
    ]
    return "; ".join(says) or None


def plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
