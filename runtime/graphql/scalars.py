"""The scalars that GraphQL lacks: any JSON, and whole numbers of 64 bits."""

import math
from typing import Any

from graphql import GraphQLError, GraphQLScalarType

INT = 2**31
EXACT = 2**63
OURS = (
    "JSON",
    "Long",
    "Query",
    "Mutation",
    "PromptAnswer",
    "FlowAnswer",
    "String",
    "Int",
    "Float",
    "Boolean",
    "ID",
)


def long(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not -EXACT <= value < EXACT:
        raise GraphQLError("A Long is a whole number of 64 bits.")
    return value


def anything(value: Any) -> Any:
    return value


def given(value: Any) -> Any:
    """Any JSON that can be written again: a literal may have numbers that JSON has not."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, float) and not math.isfinite(one):
            raise GraphQLError("A number of JSON is finite, and not longer than numbers are.")
        rest += one if isinstance(one, list) else one.values() if isinstance(one, dict) else ()
    return value


JSON = GraphQLScalarType(
    "JSON", anything, given, description="Any JSON: an object, a list, a text, a number …"
)
LONG = GraphQLScalarType("Long", long, long, description="A whole number of 64 bits.")


def fits_int(*values: Any) -> bool:
    """Whether none of these needs more than the 32 bits that Int has."""
    return all(-INT <= value < INT for value in values if isinstance(value, int | float))
