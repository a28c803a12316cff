"""The fields of a form: for each parameter the input that fits it, its rules for browsers, and what is said beside it."""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bundles.form import Form, Hint
from bundles.formpattern import for_browsers
from bundles.formtokens import words
from bundles.promptcheck import WANTED
from bundles.promptparams import NUMBERS, Parameter

LONG = 160  # characters from which a text gets several lines
PROSE = words(
    "text content body message code document description notes question comment summary input prompt story "
    "article transcript review feedback email letter"
)
FILES = ("file", "base64")
WRITTEN = ("array", "object", "json")
MAX_CHOICES = 1_000


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Input:
    """One field. ``control`` is text, number, textarea, checkbox, select, checks or file."""

    parameter: Parameter
    name: str  # in what is sent; no parameter can take the place of our own fields
    id: str
    control: str
    label: str
    help: str
    example: str
    required: bool
    attributes: tuple[tuple[str, str], ...] = ()
    choices: tuple[Choice, ...] = ()
    blank: bool = False  # a select begins with an empty choice
    rules: str = ""  # JSON for the script
    initial: tuple[str, ...] = ()  # what is in it at first


@dataclass(frozen=True, slots=True)
class Section:
    """Fields under a heading; without one where nothing was grouped."""

    title: str = ""
    description: str = ""
    inputs: tuple[Input, ...] = field(default=())


def sections(form: Form, parameters: Iterable[Parameter], *, max_bytes: int) -> tuple[Section, ...]:
    """All fields: those without a group first, in the order of the parameters."""
    made = {
        one.name: make(one, number, form.hints.get(one.name, Hint()), max_bytes=max_bytes)
        for number, one in enumerate(parameters)
    }
    grouped = {name for group in form.groups for name in group.names}
    found = [Section(inputs=tuple(one for name, one in made.items() if name not in grouped))]
    for group in form.groups:
        inputs = tuple(made[name] for name in group.names if name in made)
        found.append(Section(group.title, group.description, inputs))
    return tuple(section for section in found if section.inputs)


def make(one: Parameter, number: int, hint: Hint, *, max_bytes: int) -> Input:
    control = control_of(one, hint)
    needed = one.required and not one.has_default and control != "checkbox"
    choices = () if control not in ("select", "checks") else tuple(map(_choice, one.enum[:MAX_CHOICES]))
    return Input(
        parameter=one,
        name=f"p-{one.name}",
        id=f"field-{number}",
        control=control,
        label=hint.label or label(one.name),
        help=joined(hint.help or one.description, usage(one, control, max_bytes)),
        example="" if one.example is None else text_of(one.example),
        required=needed,
        attributes=tuple(_attributes(one, control, hint)),
        choices=choices,
        blank=control == "select"
        and not one.has_default
        and not any(choice.value == "" for choice in choices),
        rules=json.dumps(rules(one, control, needed=needed, max_bytes=max_bytes), ensure_ascii=False),
        initial=initial(one, control),
    )


def control_of(one: Parameter, hint: Hint) -> str:
    if one.type == "boolean":
        return "checkbox"
    if one.enum and one.type != "array":
        return "select"
    if one.enum and not any(isinstance(choice, list) for choice in one.enum):
        return "checks"
    if one.type in FILES:
        return "file"
    if one.type in NUMBERS:
        return "number"
    return "textarea" if one.type in WRITTEN or is_long(one, hint) else "text"


def is_long(one: Parameter, hint: Hint) -> bool:
    """Whether a text needs room: it is said, it may be long, it has lines, or its name is that of prose."""
    if hint.rows is not None:
        return hint.rows > 1
    if one.max_length is not None:
        return one.max_length > LONG
    lines = any("\n" in value for value in (one.default, one.example) if isinstance(value, str))
    return lines or (not one.pattern and bool(PROSE & set(re.split(r"[^a-z]+", one.name.lower()))))


def label(name: str) -> str:
    """`orderId` and `order_id` for people: Order id."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").split()
    text = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words) or name
    return text[0].upper() + text[1:]


def usage(one: Parameter, control: str, max_bytes: int) -> str:
    """How the value is written, where one cannot see it."""
    if control == "file":
        what = "A text file" if one.type == "file" else "A file"
        return f"{what}, at most {size(file_limit(one, max_bytes))}."
    if control != "textarea" or one.type not in WRITTEN:
        return ""
    if one.type == "array":
        return "One value per line, or a JSON list."
    if one.type == "json":
        return "JSON; anything else is taken as text."
    names = ", ".join(part.name + ("" if part.required else " (optional)") for part in one.properties[:20])
    return 'A JSON object, such as {"name": "value"}.' + (f" Its fields: {names}." if names else "")


def joined(help: str, usage: str) -> str:
    """Both, the first as a sentence of its own."""
    ends = help.endswith((".", "!", "?", ":"))
    return f"{help} {usage}" if ends and usage else f"{help}. {usage}" if help and usage else help or usage


def size(count: int) -> str:
    return f"{count // 1024:,} KB" if count >= 2048 else f"{count} bytes"


def file_limit(one: Parameter, max_bytes: int) -> int:
    """Bytes of a file; base64 makes three of them into four characters."""
    room = max_bytes if one.type == "file" else max_bytes * 3 // 4
    longest = one.max_length
    if longest is None:
        return room
    return min(room, longest * 4 if one.type == "file" else longest * 3 // 4)


def _choice(value: Any) -> Choice:
    text = text_of(value)
    return Choice(text, text or "(empty)")


def text_of(value: Any) -> str:
    """A value as a person writes it into a field."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_is_line(item) for item in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False, indent=2 if isinstance(value, list | dict) else None)


def _is_line(item: Any) -> bool:
    return isinstance(item, str) and item == item.strip() != "" and not set(item) & set("\n,[")


def initial(one: Parameter, control: str) -> tuple[str, ...]:
    if not one.has_default or one.default in (None, []) or control == "file":
        return ()
    if control == "checks" and isinstance(one.default, list):
        return tuple(map(text_of, one.default))
    return (text_of(one.default),)


def _attributes(one: Parameter, control: str, hint: Hint) -> Iterable[tuple[str, str]]:
    """What browsers check by themselves, and how they help."""
    if hint.placeholder and control in ("text", "number", "textarea"):
        yield "placeholder", hint.placeholder
    if control == "number":
        whole = one.type == "integer"
        yield "step", "1" if whole else "any"
        yield (
            "inputmode",
            "numeric" if whole and (one.minimum or 0) >= 0 and one.minimum is not None else "decimal",
        )
        if one.minimum is not None and math.isfinite(one.minimum):
            yield "min", f"{math.ceil(one.minimum) if whole else one.minimum:.12g}"
        if one.maximum is not None and math.isfinite(one.maximum):
            yield "max", f"{one.maximum:.12g}"
    if control == "textarea":
        yield "rows", str(hint.rows or 5)
    if control in ("text", "textarea") and one.type == "string":
        if one.min_length:
            yield "minlength", str(one.min_length)
        if one.max_length:
            # Browsers count UTF-16: an emoji is two to them and one to the check, which the script makes exactly.
            yield "maxlength", str(one.max_length * 2)
    if control == "text" and one.pattern and (pattern := for_browsers(one.pattern)) is not None:
        yield "pattern", rf"[\s\S]*(?:{pattern})[\s\S]*"
        yield "title", one.error_message or f"Must match the pattern {one.pattern}"


def rules(one: Parameter, control: str, *, needed: bool, max_bytes: int) -> dict[str, Any]:
    """The bounds as the script checks them, in the words of the server's check."""
    said: dict[str, Any] = {"type": one.type, "wanted": WANTED[one.type], "required": needed}
    said |= {"message": one.error_message} if one.error_message else {}
    if control == "file":
        said["maxBytes"] = file_limit(one, max_bytes)
    if one.type in NUMBERS and one.minimum is not None:
        said |= {"min": one.minimum, "minText": f"{one.minimum:.12g}"}
    if one.type in NUMBERS and one.maximum is not None:
        said |= {"max": one.maximum, "maxText": f"{one.maximum:.12g}"}
    if one.type == "string":
        said |= {"minLength": one.min_length, "maxLength": one.max_length}
        said |= {"pattern": for_browsers(one.pattern), "patternText": one.pattern} if one.pattern else {}
    if one.type == "array":
        said |= {"minItems": one.min_items, "maxItems": one.max_items}
    return {key: value for key, value in said.items() if value is not None}
