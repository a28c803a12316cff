"""`form:` in the front matter of a prompt: title, theme, stylesheet, pages and who may open or embed it."""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from bundles import fields, formcolours, formcss
from bundles.fields import Field, Read
from bundles.formcolours import Rgb
from bundles.prompt import Prompt
from bundles.promptfront import coded, is_null
from bundles.promptparams import Parameter
from bundles.values import Mapping, Node, Place, Problem, Report, Scalar, shown

MAX_CSS = 50_000
MAX_EMBED = 20
ORIGIN = re.compile(r"https?://[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
FAMILY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 _-]{0,58}[A-Za-z0-9])?", re.ASCII)
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3}", re.ASCII)

FORM_FIELDS = fields.table(
    Field("public", "boolean", "true: everybody may open and send the form; else a key with the scope call is needed"),
    Field("title", "text", "Heading of the page; by default the name of the prompt", longest=200),
    Field("description", "text", "Below the heading; by default the description of the prompt", longest=2_000),
    Field("submit", "text", "What the button says; by default Send", longest=60),
    Field("language", "text", "Language of your texts, such as en or de-CH: screen readers need it", longest=40),
    Field("theme", "map", "Colours and font"),
    Field("customCss", "text", "A stylesheet for this form alone", longest=MAX_CSS),
    Field("success", "any", "What the page says when it worked: a text, or title, message and showOutput"),
    Field("error", "any", "What the page says when it did not: a text, or title and message"),
    Field("embed", "list", "Origins whose pages may show the form in a frame, such as https://example.org"),
    Field("groups", "list", "Fields under a common heading"),
    Field("fields", "map", "More about single fields, by the name of the parameter"),
)  # fmt: skip
THEME_FIELDS = fields.table(
    Field("primaryColor", "text", "Of the button, links and the focus: " + formcolours.GRAMMAR),
    Field("backgroundColor", "text", "Of the page; then the form has no light and dark of its own"),
    Field("fontFamily", "text", "Names of fonts that visitors have, with commas between them", longest=300),
)
PAGE_FIELDS = fields.table(
    Field("title", "text", "Heading of the page", longest=200),
    Field("message", "text", "Below the heading", longest=2_000),
    Field("showOutput", "boolean", "false: what the model wrote is not shown"),
)
GROUP_FIELDS = fields.table(
    Field("title", "text", "Heading of the group", required=True, longest=200),
    Field("description", "text", "Below the heading", longest=2_000),
    Field("fields", "list", "Names of the parameters, in their order", required=True),
)
HINT_FIELDS = fields.table(
    Field("label", "text", "Name of the field for people", longest=200),
    Field("help", "text", "Below the field, instead of the description of the parameter", longest=2_000),
    Field("placeholder", "text", "Shown in the empty field", longest=200),
    Field("rows", "integer", "Lines of the field; 1 is a single line", low=1, high=60),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What is said after sending."""

    title: str = ""
    message: str = ""
    output: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    description: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hint:
    """More about one field."""

    label: str = ""
    help: str = ""
    placeholder: str = ""
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """How a prompt shows itself to people; ``enabled`` is False after `form: false`."""

    enabled: bool = True
    public: bool = False
    title: str = ""
    description: str = ""
    submit: str = "Send"
    language: str = "en"
    primary: Rgb | None = None
    background: Rgb | None = None
    fonts: tuple[str, ...] = ()
    css: str = ""
    success: Page = Page()
    error: Page = Page()
    embed: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    hints: Map[str, Hint] = field(default_factory=dict)


def read(prompt: Prompt, parameters: Iterable[Parameter]) -> tuple[Form, tuple[Problem, ...]]:
    """The form of a prompt and what is wrong with it. Never raises on bad content."""
    report = Report()
    made = _form(prompt, {one.name for one in parameters}, report)
    return made, coded(report.problems(), "INVALID_FORM")


def _form(prompt: Prompt, known: set[str], report: Report) -> Form:
    node, usual = prompt.node("form"), Form(title=prompt.name or prompt.id, description=prompt.description)
    if node is None or is_null(node):
        return usual
    if isinstance(node, Scalar) and node.kind == "bool":
        return usual if node.value else Form(enabled=False)
    block = fields.mapping(node, report, of="form")
    if block is None:
        return usual
    found = fields.read(block, FORM_FIELDS, report, of="form")
    theme = fields.read(found.get("theme") or Mapping(node.place, {}, {}), THEME_FIELDS, report, of="theme")
    return Form(
        public=found.get("public", False),
        title=found.get("title") or usual.title,
        description=found.get("description", usual.description),
        submit=found.get("submit") or usual.submit,
        language=_language(found, report),
        primary=_colour(theme, "primaryColor", report),
        background=_colour(theme, "backgroundColor", report),
        fonts=_fonts(theme, report),
        css=_css(found, block, report),
        success=_page(block.entries.get("success"), report, of="success"),
        error=_page(block.entries.get("error"), report, of="error"),
        embed=_embed(found.items("embed"), report),
        groups=_groups(found.items("groups"), known, report),
        hints=_hints(found.get("fields"), known, report),
    )


def _language(found: Read, report: Report) -> str:
    word: str = found.get("language", "en")
    if LANGUAGE.fullmatch(word):
        return word
    report.error(found.at("language"), f"{shown(word)} is not a language, such as en or de-CH")
    return "en"


def _colour(theme: Read, name: str, report: Report) -> Rgb | None:
    text = theme.get(name)
    colour = formcolours.read(text) if text else None
    if text is not None and colour is None:
        report.error(
            theme.at(name), f"'{name}': {shown(text)} is not a colour", f"write {formcolours.GRAMMAR}"
        )
    return colour


def _fonts(theme: Read, report: Report) -> tuple[str, ...]:
    names = [part.strip().strip("\"'") for part in theme.get("fontFamily", "").split(",")]
    wrong = [name for name in names if name and not FAMILY.fullmatch(name)]
    if wrong:
        hint = "letters, digits, spaces and hyphens, with commas between names: Inter, sans-serif"
        report.error(theme.at("fontFamily"), f"{shown(wrong[0])} is not the name of a font", hint)
        return ()
    return tuple(name for name in names if name)[:10]


def _css(found: Read, block: Mapping, report: Report) -> str:
    """What may stand of the stylesheet; the rest is left out, which is said with its line."""
    text = found.get("customCss", "")
    sheet = formcss.confined(text)
    place, key = found.at("customCss"), block.keys.get("customCss")
    # A block scalar (|) begins on the line after its mark; the file does not say how far it is indented.
    below = 1 if "\n" in text and key is not None else 0
    for fault in sheet.faults:
        where = Place(
            place.file, place.line + fault.line - 1 + below, fault.column if below else place.column
        )
        said = f"customCss, line {fault.line}, column {fault.column}: {fault.message}"
        report.warning(where, said, "it is left out")
    return sheet.text


def _page(node: Node | None, report: Report, *, of: str) -> Page:
    if node is None or is_null(node):
        return Page()
    if isinstance(node, Scalar):
        return Page(message=node.text[:2_000])
    block = fields.mapping(node, report, of=of)
    found = fields.read(block, PAGE_FIELDS, report, of=of) if block else Read(node.place)
    return Page(found.get("title", ""), found.get("message", ""), found.get("showOutput", True))


def _embed(nodes: list[Node], report: Report) -> tuple[str, ...]:
    origins: list[str] = []
    for node in nodes:
        text = node.text.removesuffix("/").lower() if isinstance(node, Scalar) else ""
        if ORIGIN.fullmatch(text) and len(origins) < MAX_EMBED:
            origins.append(text)
        else:
            hint = f"scheme and host alone, such as https://example.org; at most {MAX_EMBED}, no patterns"
            report.error(node.place, f"{fields.describe(node)} is not an origin", hint)
    return tuple(dict.fromkeys(origins))


def _groups(nodes: list[Node], known: set[str], report: Report) -> tuple[Group, ...]:
    made, taken = [], fields.Unique("field of a group", report)
    for node in nodes[:50]:
        block = fields.mapping(node, report, of="a group")
        if block is None:
            continue
        found = fields.read(block, GROUP_FIELDS, report, of="a group")
        names = [_parameter(one, known, report) for one in found.items("fields")]
        kept = [
            name
            for name, one in zip(names, found.items("fields"), strict=True)
            if name and taken.take(name, one.place)
        ]
        made.append(Group(found.get("title", ""), found.get("description", ""), tuple(kept)))
    return tuple(made)


def _parameter(node: Node, known: set[str], report: Report) -> str:
    name = node.text if isinstance(node, Scalar) else ""
    if name in known:
        return name
    report.error(node.place, f"{fields.describe(node)} is not a parameter{report.meant(name, known)}")
    return ""


def _hints(node: Mapping | None, known: set[str], report: Report) -> dict[str, Hint]:
    made = {}
    for name, value in node.entries.items() if node else ():
        block = fields.mapping(value, report, of=f"the field {shown(name)}")
        if name not in known and node is not None:
            report.error(node.keys[name], f"there is no parameter {shown(name)}{report.meant(name, known)}")
        elif block is not None:
            found = fields.read(block, HINT_FIELDS, report, of=f"the field {shown(name)}")
            get = found.get
            made[name] = Hint(get("label", ""), get("help", ""), get("placeholder", ""), get("rows"))
    return made
