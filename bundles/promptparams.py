"""The parameters of a prompt: name, type and bounds, as its front matter declares them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from bundles import fields, names
from bundles.celerror import CelError
from bundles.celregex import pattern as regex
from bundles.fields import Field, Read
from bundles.promptfront import Diagnostic, error, is_null, plain, warning
from bundles.values import Mapping, Node, Place, Report, Scalar, Sequence, shown

TYPES = ("string", "number", "integer", "float", "boolean", "array", "object", "json", "file", "base64")
ALIASES = {
    "str": "string", "text": "string", "int": "integer", "double": "float", "decimal": "float",
    "bool": "boolean", "list": "array", "dict": "object", "map": "object", "any": "json",
}  # fmt: skip
NUMBERS = ("number", "integer", "float")
MAX_PARAMETERS = 200
MAX_DEPTH = 8

PARAMETER_FIELDS = fields.table(
    Field("name", "text", "Name in the template, in requests and in forms", required=True),
    Field("type", "text", "One of " + ", ".join(TYPES) + "; by default that of the default, else string"),
    Field("required", "any", "true: it must be given, unless it has a default"),
    Field("default", "any", "Taken when nothing is given"),
    Field("description", "text", "For people, forms, OpenAPI and GraphQL"),
    Field("enum", "list", "The values that are allowed"),
    Field("pattern", "string", "A regular expression (RE2) that is found in the text"),
    Field("minimum", "number", "Smallest number; also written min", low=-math.inf, high=math.inf),
    Field("min", "number", "The same as minimum", low=-math.inf, high=math.inf),
    Field("maximum", "number", "Largest number; also written max", low=-math.inf, high=math.inf),
    Field("max", "number", "The same as maximum", low=-math.inf, high=math.inf),
    Field("minLength", "integer", "Fewest characters of a text"),
    Field("maxLength", "integer", "Most characters of a text"),
    Field("items", "node", "What each element of an array is: a type, or fields like these"),
    Field("minItems", "integer", "Fewest elements of an array"),
    Field("maxItems", "integer", "Most elements of an array"),
    Field("properties", "node", "Fields of an object: name, then fields like these"),
    Field("error_message", "text", "Said instead of our own words when a value does not fit"),
    Field("example", "any", "An example for people"),
)

OPTIONS = {key: field for key, field in PARAMETER_FIELDS.items() if key != "name"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `None` bounds do not bound."""

    name: str
    type: str = "string"
    required: bool = False
    default: Any = None
    has_default: bool = False
    description: str = ""
    enum: tuple[Any, ...] = ()
    pattern: str = ""
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    items: "Parameter | None" = None
    min_items: int | None = None
    max_items: int | None = None
    properties: "tuple[Parameter, ...]" = ()
    error_message: str = ""
    example: Any = None
    typed: bool = True  # a type was declared; else it is guessed from the default
    inherited: bool = False
    warns: bool = False  # minimum or maximum is written so, not min or max: upstream looks at it too
    file: str = ""
    line: int = 1
    column: int = 1
    allowed: frozenset[Any] = field(init=False, repr=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        """The simple ones of enum, to be found at once; true is not 1."""
        simple = ((isinstance(one, bool), one) for one in self.enum if not isinstance(one, list | dict))
        object.__setattr__(self, "allowed", frozenset(simple))

    @property
    def place(self) -> Place:
        return Place(self.file, self.line, self.column)


def read_all(node: Node | None, report: Report) -> tuple[Parameter, ...]:
    """The parameters of a list, or of a mapping by name; names are given once."""
    if node is None or is_null(node):
        return ()
    found: dict[str, Parameter] = {}
    for name, item in _entries(node, report)[:MAX_PARAMETERS]:
        one = _read(name, item, report, depth=0)
        if one is None:
            continue
        if one.name in found:
            first = found[one.name].line
            message = f"the parameter {shown(one.name)} is defined twice, first on line {first}"
            report.extend((error(one.place, "DUPLICATE_PARAMETER", message),))
        else:
            found[one.name] = one
    return tuple(found.values())


def inherited(parameters: Iterable[Parameter]) -> tuple[Parameter, ...]:
    return tuple(replace(one, inherited=True) for one in parameters)


def _entries(node: Node, report: Report) -> list[tuple[str, Node]]:
    if isinstance(node, Mapping):
        return list(node.entries.items())
    if isinstance(node, Sequence):
        if len(node.items) > MAX_PARAMETERS:
            report.error(node.items[MAX_PARAMETERS].place, f"more than {MAX_PARAMETERS} parameters")
        return [("", item) for item in node.items]
    report.error(node.place, f"'parameters' must be a list (- name: …), but here is {fields.describe(node)}")
    return []


def _read(name: str, node: Node, report: Report, *, depth: int) -> Parameter | None:
    """One parameter: a mapping, or a word, which is its name in a list and its type in a mapping."""
    if isinstance(node, Scalar):
        return _word(name, node, report)
    if not isinstance(node, Mapping):
        report.error(node.place, f"a parameter must be fields (name: …), but here is {fields.describe(node)}")
        return None
    given = node.entries.get("name")
    own = name or (given.text.strip() if isinstance(given, Scalar) and not is_null(given) else "")
    if not own:
        report.error(node.place, "a parameter needs 'name'")
        return None
    found = softly(node, report, of=f"the parameter {shown(own)}")
    made = _made(own, node, found, report, depth=depth)
    _lint(made, found, report)
    return made


def _word(name: str, node: Scalar, report: Report) -> Parameter | None:
    place = {"file": node.place.file, "line": node.place.line, "column": node.place.column}
    if name:
        kind = "string" if is_null(node) else _type(node.text, node.place, report)
        return Parameter(name, kind, typed=not is_null(node), **place)  # type: ignore[arg-type]
    if node.kind != "str" or not node.text.strip():
        report.error(node.place, f"a parameter needs a name, but here is {fields.describe(node)}")
        return None
    return Parameter(node.text.strip(), typed=False, **place)  # type: ignore[arg-type]


def softly(node: Mapping, report: Report, *, of: str) -> Read:
    """The known fields; one that does not fit has no effect and is a warning, unknown ones are ignored."""
    known = {key: value for key, value in node.entries.items() if key in OPTIONS}
    scratch = Report()
    found = fields.read(Mapping(node.place, known, node.keys), OPTIONS, scratch, of=of)
    for problem in scratch.errors:
        place = Place(problem.file, problem.line, problem.column)
        hint = problem.hint or "it has no effect"
        report.extend((warning(place, "INVALID_PARAMETER", f"{problem.message} ({of})", hint),))
    return found


def _made(name: str, node: Mapping, found: Read, report: Report, *, depth: int) -> Parameter:
    default = node.entries.get("default")
    typed = "type" in found.values
    kind = _type(found.get("type"), found.at("type"), report) if typed else _guess(default)
    low, high = found.get("minimum", found.get("min")), found.get("maximum", found.get("max"))
    return Parameter(
        name=name,
        type=kind,
        required=_truth(node.entries.get("required")),
        default=None if default is None else plain(default),
        has_default=default is not None,
        description=found.get("description", ""),
        enum=tuple(plain(item) for item in found.items("enum")),
        pattern=_pattern(found, report),
        minimum=low,
        maximum=high,
        min_length=found.get("minLength"),
        max_length=found.get("maxLength"),
        items=_items(found.get("items"), report, depth=depth),
        min_items=found.get("minItems"),
        max_items=found.get("maxItems"),
        properties=_properties(found.get("properties"), report, depth=depth),
        error_message=found.get("error_message", ""),
        example=None if "example" not in node.entries else plain(node.entries["example"]),
        warns="minimum" in found.values or "maximum" in found.values,
        typed=typed,
        file=node.place.file,
        line=node.place.line,
        column=node.place.column,
    )


def _guess(default: Node | None) -> str:
    """What a parameter is whose type nobody said."""
    if isinstance(default, Sequence):
        return "array"
    if isinstance(default, Mapping):
        return "object"
    value = None if default is None else plain(default)
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string"


def _truth(node: Node | None) -> bool:
    """`required: true`, also when it is written as a text or as YAML 1.1 has it."""
    return isinstance(node, Scalar) and (node.value is True or node.text.lower() in ("true", "yes", "1"))


def _type(word: str, place: Place, report: Report) -> str:
    kind = ALIASES.get(word.lower(), word.lower())
    if kind in TYPES:
        return kind
    hint = "it is taken as any value; types: " + ", ".join(TYPES)
    message = f"unknown type {shown(word)}{names.did_you_mean(word, TYPES)}"
    report.extend((warning(place, "UNKNOWN_TYPE", message, hint),))
    return "json"


def _pattern(found: Read, report: Report) -> str:
    text: str = found.get("pattern", "")
    if not text:
        return ""
    try:
        regex(text)
    except CelError as wrong:
        report.extend((warning(found.at("pattern"), "INVALID_PATTERN", str(wrong), "it has no effect"),))
        return ""
    return text


def _items(node: Node | None, report: Report, *, depth: int) -> Parameter | None:
    if node is None or is_null(node) or depth >= MAX_DEPTH:
        return None
    return _read("items", node, report, depth=depth + 1)


def _properties(node: Node | None, report: Report, *, depth: int) -> tuple[Parameter, ...]:
    if node is None or depth >= MAX_DEPTH or isinstance(node, Scalar):
        return ()
    read = (_read(name, item, report, depth=depth + 1) for name, item in _entries(node, report))
    return tuple({one.name: one for one in read if one is not None}.values())


def _lint(one: Parameter, found: Read, report: Report) -> None:
    if one.minimum is not None and one.maximum is not None and one.minimum > one.maximum:
        report.extend((_odd(one, f"allows no number: {one.minimum:g} is more than {one.maximum:g}"),))
    if found.get("enum") is not None and not one.enum:
        report.extend((_odd(one, "allows no value: its enum is empty"),))


def _odd(one: Parameter, why: str) -> Diagnostic:
    return warning(one.place, "INVALID_PARAMETER", f"the parameter {shown(one.name)} {why}")
