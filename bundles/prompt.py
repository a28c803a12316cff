"""A prompt: its head read from the front matter of a .prmd file, with every problem where it stands."""

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from bundles import fields, promptfront, promptparams, promptstreaming
from bundles.fields import Field
from bundles.promptfront import Diagnostic, error, is_null, plain, warning
from bundles.promptparams import Parameter
from bundles.values import Mapping, Node, Place, Problem, Report, Scalar, shown

__all__ = ["HEAD_FIELDS", "Parameter", "Prompt", "load", "of"]

ID = re.compile(r"[a-z0-9-]{1,100}")
VERSION = re.compile(r"\d+\.\d+\.\d+(-[\w.]+)?(\+[\w.]+)?", re.ASCII)
TEXT_SECTIONS = ("system", "context", "task", "user", "assistant", "response", "output")

HEAD_FIELDS = fields.table(
    Field("id", "text", "Name of the prompt: lower case letters, digits and hyphens", required=True),
    Field("name", "text", "Name for people", required=True),
    Field("version", "text", "Version, such as 1.0.0", required=True),
    Field("description", "text", "What it does; shown in forms and in OpenAPI"),
    Field("parameters", "node", "What it is given: a list of parameters"),
    Field("variables", "node", "The same as parameters"),
    Field("inherits", "text", "A prompt whose text and parameters come first"),
    Field("using", "any", "Packages by a short prefix: a list of name and prefix"),
    Field("override", "map", "Sections replaced by a file, or removed with null"),
    Field("context", "any", "Files put before the text"),
    Field("system", "any", "Text or files below the heading System"),
    Field("task", "any", "Text or files below the heading Task"),
    Field("user", "any", "Text or files below the heading User"),
    Field("assistant", "any", "Text or files below the heading Assistant"),
    Field("response", "any", "Text or files below the heading Response"),
    Field("output", "any", "Text or files below the heading Output"),
    Field("provider", "text", "Whose model it is, by its name in llm"),
    Field("model", "text", "Name of the model"),
    Field("temperature", "number", "From 0 to 2", high=2),
    Field("max_tokens", "integer", "Most tokens of an answer", low=1, high=10_000_000),
    Field("json", "boolean", "true: the model answers with JSON; anything else is no answer"),
    Field(
        "rehearsal", "any", "What is answered while no key is there: true, a text, or JSON; false: an error"
    ),
    Field("sse", "node", "How its answer is streamed: chunkInterval, chunkSize, heartbeat"),
    Field("interceptors", "node", "What wraps each call, within those of the endpoint"),
    Field("form", "any", "How the web form of the prompt looks and who may use it; false: there is none"),
    Field("tags", "any", "Words by which it is found"),
)
MEANT = {key: field for key, field in HEAD_FIELDS.items() if key in ("temperature", "max_tokens", "json")}


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a file says of itself; ``head`` is its tree, for what others read: forms, streams, interceptors."""

    id: str
    name: str
    version: str
    description: str
    file: str
    parameters: tuple[Parameter, ...] = ()
    settings: Map[str, Any] = field(default_factory=dict)  # every other key as it stands, also unknown ones
    body: str = ""
    line: int = 1  # of the first line of the body
    head: Mapping | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it can be compiled at all."""
        return self.head is not None and bool(self.id)

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def node(self, key: str) -> Node | None:
        return self.head.entries.get(key) if self.head else None

    def at(self, key: str) -> Place:
        """Where a key stands; the top of the file when it does not."""
        place = self.head.keys.get(key) if self.head else None
        return place or Place(self.file, 1, 1)


def load(files: Map[str, bytes], path: str) -> Prompt:
    """The prompt in one of these files, by itself. Never raises on bad content."""
    if path not in files:
        missing = error(Place(path, 1, 1), "NOT_FOUND", f"the file {shown(path)} is not there")
        return Prompt("", "", "", "", path, problems=(missing,))
    return of(promptfront.read(files[path], path))


def of(front: promptfront.Front) -> Prompt:
    report = Report()
    report.extend(front.problems)
    if front.head is None:
        return Prompt("", "", "", "", front.file, problems=front.problems)
    head = front.head
    node = head.entries.get("parameters", head.entries.get("variables"))
    ident, name, version = _id(head, report), _name(head, report), _version(head, report)
    parameters = promptparams.read_all(node, report)
    settings = _settings(head, report)
    return Prompt(
        id=ident,
        name=name,
        version=version,
        description=_word(head, "description"),
        file=front.file,
        parameters=parameters,
        settings=settings,
        body=front.body,
        line=front.line,
        head=head,
        problems=promptfront.coded(report.problems(), "INVALID_PARAMETER"),
    )


def _word(head: Mapping, key: str) -> str:
    node = head.entries.get(key)
    return node.text if isinstance(node, Scalar) and not is_null(node) else ""


def _id(head: Mapping, report: Report) -> str:
    word = _word(head, "id")
    if ID.fullmatch(word):
        return word
    place = head.entries["id"].place if "id" in head.entries else _top(head)
    if word:
        message = f"the id {shown(word)} may only have lower case letters, digits and hyphens"
        report.extend((error(place, "INVALID_ID", message, "for example: order-summary"),))
    else:
        report.extend((error(place, "MISSING_ID", "a prompt needs 'id'", "for example: order-summary"),))
    return ""


def _name(head: Mapping, report: Report) -> str:
    word = _word(head, "name")
    if not word:
        report.extend((error(_top(head), "MISSING_NAME", "a prompt needs 'name'", "a name for people"),))
    return word


def _version(head: Mapping, report: Report) -> str:
    word, node = _word(head, "version"), head.entries.get("version")
    if not word or node is None:
        report.extend((error(_top(head), "MISSING_VERSION", "a prompt needs 'version'", "such as 1.0.0"),))
    elif not VERSION.fullmatch(word):
        message = f"the version {shown(word)} is not of the form 1.0.0"
        numeric = isinstance(node, Scalar) and node.kind in ("int", "float")
        say = warning if numeric else error
        report.extend((say(node.place, "INVALID_VERSION", message),))
    return word


def _top(head: Mapping) -> Place:
    return Place(head.place.file, 2, 1)


def _settings(head: Mapping, report: Report) -> dict[str, Any]:
    """The other keys; numbers that no model takes are warned about and left out."""
    scratch = Report()
    known = {key: value for key, value in head.entries.items() if key in MEANT}
    fields.read(Mapping(head.place, known, head.keys), MEANT, scratch, of="a prompt")
    wrong = set()
    for problem in scratch.errors:
        place = Place(problem.file, problem.line, problem.column)
        wrong |= {key for key, value in known.items() if value.place == place}
        report.extend((_odd(place, problem.message),))
    node = head.entries.get("sse")
    if node is not None:
        report.extend(tuple(promptstreaming.check(node, head.keys["sse"], {"sse": plain(node)})))
    own = {"id", "name", "version", "description", "parameters", "variables", *wrong}
    return {key: plain(value) for key, value in head.entries.items() if key not in own}


def _odd(place: Place, message: str) -> Diagnostic:
    return warning(place, "INVALID_SETTING", message, "it has no effect")
