"""The sections of a prompt's text, by their headings, and how a child replaces or removes those of its parent."""

import re
from collections.abc import Callable
from dataclasses import dataclass

HEADING = re.compile(r"^(#{1,6})\s+(.+)$", re.MULTILINE)
# One open-ended part only: with three, a line of spaces would take the cube of its length.
MARK = re.compile(r"<!--\s{0,20}section-id:([^\n]{1,300}?)-->", re.IGNORECASE)
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
MAX_LINE = 500  # characters of a line in which a mark is looked for
MAX_NAME = 100
MAX_SECTIONS = 2_000
ABOVE = 5  # lines between a mark and its heading
FORBIDDEN = ("__proto__", "constructor", "prototype")
Load = Callable[[str], str]


class SectionFault(Exception):
    """Sections that cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Heading:
    name: str
    start: int
    line: int


def split(text: str) -> dict[str, str]:
    """Section by name, in order; what stands before the first heading belongs to none."""
    headings = _headings(text)
    ends = [heading.start for heading in headings[1:]] + [len(text)]
    found: dict[str, str] = {}
    for heading, end in zip(headings, ends, strict=False):
        if heading.name in found:
            raise SectionFault(f"two sections are called '{heading.name}' (line {heading.line + 1})")
        found[heading.name] = text[heading.start : end].strip()
    return found


def merged(parent: str, child: str, overrides: dict[str, str | None], load: Load) -> str:
    """The parent's sections, with those replaced that are overridden or written again, and new ones after."""
    sections = replaced(split(parent), overrides, load)
    sections.update(split(child))
    return "\n\n".join(sections.values())


def replaced(sections: dict[str, str], overrides: dict[str, str | None], load: Load) -> dict[str, str]:
    found = dict(sections)
    for name, path in overrides.items():
        if name not in found:
            continue
        if path is None:
            del found[name]
        else:
            found[name] = load(path).strip()
    return found


def _headings(text: str) -> list[Heading]:
    marks = _marks(text)
    found: list[Heading] = []
    line, at = 0, 0
    for match in HEADING.finditer(text):
        line += text.count("\n", at, match.start())
        at = match.start()
        above = (marks[n] for n in range(line, max(0, line - ABOVE) - 1, -1) if n in marks)
        name = next(above, "") or slug(match[2])
        _check(name, line)
        found.append(Heading(name, at, line))
        if len(found) > MAX_SECTIONS:
            raise SectionFault(f"there are more than {MAX_SECTIONS} sections")
    return found


def _marks(text: str) -> dict[int, str]:
    found: dict[int, str] = {}
    if "section-id" not in text.lower():
        return found
    for number, line in enumerate(text.split("\n")):
        match = MARK.search(line) if len(line) <= MAX_LINE else None
        name = match[1].strip() if match else ""
        if name:
            _check(name, number)
            found[number] = name
    return found


def slug(heading: str) -> str:
    """`What It Does!` is called what-it-does."""
    kept = re.sub(r"[^a-z0-9\s-]", "", heading.lower().strip())
    return re.sub(r"-+", "-", re.sub(r"\s+", "-", kept)).strip("-")


def _check(name: str, line: int) -> None:
    if any(word in name for word in FORBIDDEN):
        raise SectionFault(f"a section cannot be called '{name[:60]}' (line {line + 1})")
    if len(name) > MAX_NAME or not NAME.fullmatch(name):
        said = f"'{name[:60]}' cannot be the name of a section (line {line + 1})"
        raise SectionFault(f"{said}: lower case letters, digits and hyphens")
