"""What a document may ask for, found before it is validated: depth, fields, aliases, fragments, runs."""

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Lexer,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    TokenKind,
)

CHARACTERS = 64 * 1024
TOKENS = 4000
NESTING = 48  # brackets within brackets
DEPTH = 16  # fields within fields; the usual introspection has 15
FIELDS = 500  # with those of fragments, each time one is used
RUNS = 10  # fields that run something
FRAGMENTS = 50
OPERATIONS = 10
VALUES = 100_000  # in the variables, which are read one by one while others wait
OPENING = {TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L}
CLOSING = {TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R}


def refused(why: str) -> GraphQLError:
    return GraphQLError(why, extensions={"code": "TOO_COMPLEX"})


def check_text(text: str) -> None:
    """Before it is parsed: how long it is, and how deep its brackets go. The parser goes as deep as they do."""
    if len(text) > CHARACTERS:
        raise refused(f"A document may have {CHARACTERS} characters.")
    lexer, depth, count = Lexer(Source(text)), 0, 0
    while (kind := lexer.advance().kind) is not TokenKind.EOF:
        count += 1
        depth += (kind in OPENING) - (kind in CLOSING)
        if count > TOKENS:
            raise refused(f"A document may have {TOKENS} words and signs.")
        if depth > NESTING:
            raise refused(f"Brackets may be nested {NESTING} deep.")


def check_variables(variables: dict[str, Any]) -> None:
    rest: list[Any] = [variables]
    count = 0
    while rest:
        one = rest.pop()
        count += len(one)
        if count > VALUES:
            raise refused(f"The variables may have {VALUES:,} values.")
        parts = one.values() if isinstance(one, dict) else one
        rest += [part for part in parts if isinstance(part, dict | list)]


@dataclass(frozen=True, slots=True)
class Size:
    """How much selections ask for; ``roots`` are the names of fields at the top."""

    depth: int = 0
    fields: int = 0
    roots: tuple[str, ...] = ()


@dataclass(slots=True)
class Measure:
    """Sizes of the parts of one document; fragments are measured once."""

    fragments: dict[str, FragmentDefinitionNode]
    known: dict[str, Size] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)

    def of(self, selections: SelectionSetNode | None) -> Size:
        depth, fields, roots = 0, 0, list[str]()
        for one in selections.selections if selections else ():
            if isinstance(one, FieldNode):
                inner = self.of(one.selection_set)
                size = Size(inner.depth + 1, inner.fields + 1, (one.name.value,))
            elif isinstance(one, InlineFragmentNode):
                size = self.of(one.selection_set)
            elif isinstance(one, FragmentSpreadNode):
                size = self.fragment(one.name.value)
            depth, fields = max(depth, size.depth), fields + size.fields
            roots += size.roots
            if depth > DEPTH:
                raise refused(f"Fields may be nested {DEPTH} deep.")
            if fields > FIELDS:
                raise refused(f"A document may ask for {FIELDS} fields, those of fragments each time.")
        return Size(depth, fields, tuple(roots))

    def fragment(self, name: str) -> Size:
        if name in self.open:
            raise refused(f"The fragment {name} contains itself.")
        if name not in self.known and name in self.fragments:
            self.open.add(name)
            self.known[name] = self.of(self.fragments[name].selection_set)
            self.open.discard(name)
        return self.known.get(name, Size())


def check_document(document: DocumentNode) -> None:
    """Raises for what asks for too much; every operation counts, also those that are not run."""
    every = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if len(every) > FRAGMENTS or len(operations) > OPERATIONS:
        raise refused(f"A document may have {FRAGMENTS} fragments and {OPERATIONS} operations.")
    measure = Measure({one.name.value: one for one in every})
    for one in every:
        measure.fragment(one.name.value)
    fields = 0
    for operation in operations:
        size = measure.of(operation.selection_set)
        fields += size.fields
        check_roots(size.roots)
        if fields > FIELDS:
            raise refused(f"A document may ask for {FIELDS} fields, those of fragments each time.")


def check_roots(roots: tuple[str, ...]) -> None:
    runs = sum(not name.startswith("__") for name in roots)
    if runs > RUNS:
        raise refused(f"A document may run {RUNS} fields, but has {runs}.")
    if runs and is_introspection(roots):
        raise refused("Ask for the schema by itself: __schema and __type go with no other field.")


def is_introspection(roots: tuple[str, ...]) -> bool:
    return any(name in ("__schema", "__type") for name in roots)


def asks_for_schema(document: DocumentNode, operation: OperationDefinitionNode) -> bool:
    """Whether the operation does; it runs nothing then."""
    every = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
    measure = Measure({one.name.value: one for one in every})
    return is_introspection(measure.of(operation.selection_set).roots)
