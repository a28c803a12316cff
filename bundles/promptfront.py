"""A .prmd file taken apart: its front matter as a tree that knows its places, and the body below it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bundles import values
from bundles.composer import compose
from bundles.nunjucks.numbers import SPACE
from bundles.scalars import held
from bundles.values import Mapping, Node, Place, Problem, Report, Scalar, Sequence

FENCE = "---\n"
PARSE = "PARSE_ERROR"


@dataclass(frozen=True, slots=True)
class Diagnostic(Problem):
    """A problem of a prompt, with the word by which programs know it."""

    code: str = ""


@dataclass(frozen=True, slots=True)
class Front:
    """Both parts of a file; ``head`` is None when the front matter cannot be read."""

    file: str
    head: Mapping | None
    body: str
    line: int  # of the first line of the body
    problems: tuple[Diagnostic, ...]


def error(place: Place, code: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic("error", *place, message, hint, code)


def warning(place: Place, code: str, message: str, hint: str = "") -> Diagnostic:
    return Diagnostic("warning", *place, message, hint, code)


def coded(problems: Iterable[Problem], code: str) -> tuple[Diagnostic, ...]:
    """Every problem of a prompt has a word; those of the readers below get this one."""
    return tuple(
        one
        if isinstance(one, Diagnostic)
        else Diagnostic(one.severity, one.file, one.line, one.column, one.message, one.hint, code)
        for one in problems
    )


def read(data: bytes, path: str) -> Front:
    """Never raises, whatever the bytes are."""
    report = Report()
    text = values.decode(data, file=path, report=report)
    if text is None:
        return Front(path, None, "", 1, coded(report.problems(), PARSE))
    text = unified(text)
    parts = cut(text)
    if parts is None:
        report.extend((_no_front(text, path),))
        return Front(path, None, "", 1, coded(report.problems(), PARSE))
    front, body = parts
    # One line first: places then count from the top of the file.
    root = compose("\n" + front, path, report)
    head = root if isinstance(root, Mapping) else None
    if root is not None and head is None:
        said = "must be fields (key: value)"
        report.extend((error(Place(path, 2, 1), PARSE, f"the front matter {said}"),))
    above = len(text) - len(body)
    body = body.lstrip(SPACE)
    line = text.count("\n", 0, max(above, len(text) - len(body))) + 1
    return Front(path, head, body.rstrip(SPACE), line, coded(report.problems(), PARSE))


def unified(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def cut(text: str) -> tuple[str, str] | None:
    """Front matter and what follows; None when the file does not begin with one."""
    if not text.startswith(FENCE):
        return None
    rest = text[len(FENCE) :]
    front, closed, body = rest.partition("\n---\n")
    if closed:
        return front, body
    return (rest[:-4], "") if rest.endswith("\n---") else None


def body_of(text: str) -> str:
    """The text of an included file: without front matter when it has one."""
    text = unified(text)
    parts = cut(text)
    return text if parts is None else parts[1].strip(SPACE)


def _no_front(text: str, path: str) -> Diagnostic:
    hint = "the file begins with a line ---, then id, name and version, then another line ---"
    if text.startswith(FENCE):
        message = "the front matter has no end"
    else:
        message = "the file does not begin with front matter"
    return error(Place(path, 1, 1), PARSE, message, hint)


def plain(node: Node) -> Any:
    """Ordinary values as YAML 1.2 has them, which the authors of prompts use: `yes` and `1:30` are texts."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if node.kind == "date" or node.odd not in ("", "hexadecimal", "octal"):
        return node.text
    value = int(node.text) if node.odd == "octal" else node.value
    return held(value) if isinstance(value, int) and not isinstance(value, bool) else value


def is_null(node: Node | None) -> bool:
    return node is None or (isinstance(node, Scalar) and node.kind == "null")
