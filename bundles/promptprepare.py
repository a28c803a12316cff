"""From files to a text ready to be rendered: all that does not depend on the parameters, in upstream's order."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from bundles import prompt, promptfront, promptlegacy, promptparams, promptsections
from bundles.nunjucks.numbers import SPACE
from bundles.prompt import TEXT_SECTIONS, Parameter, Prompt
from bundles.promptfiles import FileFault, Shelf, languages, spent
from bundles.promptfront import Diagnostic, error, is_null, plain, warning
from bundles.promptreferences import References, TooLarge, written_in
from bundles.promptsections import SectionFault
from bundles.values import Mapping, Node, Place, Problem, Scalar, Sequence, shown

MAX_CONTENT = 1_500_000  # characters of a template with all that it refers to: dense ones take 3 s for it
MAX_CONTEXTS = 4_000_000  # of files before it, which are no template
INLINE = re.compile(r"\[file:([^\[\]\n]{1,500})\]")
HEADING = re.compile(r"# Context\s*\n+")
CODE = re.compile(r"```(\w*)\n([\s\S]*?)```", re.ASCII)
EMPTY = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Which lines of the text come from where."""

    start: int
    count: int
    file: str
    line: int


@dataclass(slots=True)
class Text:
    """A prompt put together."""

    prompt: Prompt
    content: str = ""
    contexts: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    pieces: tuple[Piece, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: tuple[int, ...] = ()  # of the older dialect, whose translation has more of them

    def place(self, line: int, column: int) -> Place:
        """Where a line of the text stands in a file, as far as it can be told."""
        if self.lines:
            line = self.lines[min(line, len(self.lines)) - 1]
        for piece in self.pieces:
            if piece.start <= line < piece.start + piece.count:
                return Place(piece.file, piece.line + line - piece.start, column)
        return Place(self.prompt.file, self.prompt.line, 1)


def put_together(files: Map[str, bytes], path: str) -> Text:
    """Never raises on bad content."""
    found = prompt.load(files, path)
    if not found.usable:
        return Text(found, problems=found.problems)
    builder = Builder(files, found)
    spent.begin()
    try:
        builder.build()
    except TooLarge as wrong:
        builder.found.append(error(Place(path, 1, 1), "TOO_LARGE", str(wrong)))
        builder.content = ""
    return builder.text()


@dataclass(slots=True)
class Builder:
    """The stages, each working on the content that the one before left."""

    files: Map[str, bytes]
    prompt: Prompt
    content: str = ""
    contexts: list[str] = field(default_factory=list)
    inherited: tuple[Parameter, ...] = ()
    pieces: tuple[Piece, ...] = ()
    lines: tuple[int, ...] = ()
    found: list[Diagnostic] = field(default_factory=list)
    references: References = field(init=False)

    def __post_init__(self) -> None:
        self.references = References(self.files, self.prompt, self.found)

    def build(self) -> None:
        self.content = self.with_sections()
        self.references.use()
        parent = self.references.parent()
        self.fill_sections()
        legacy_own = promptlegacy.is_legacy(self.content, self.names())
        self.add_contexts(titled=legacy_own)
        self.fill_inline()
        self.fill_packages()
        if parent:
            self.inherit(parent)
        elif self.overrides():
            self.override()
        self.keep_matching_code()
        if promptlegacy.is_legacy(self.content, self.names()):
            self.lines = promptlegacy.lines(self.content)
            self.content = promptlegacy.modern(self.content, self.names())

    def text(self) -> Text:
        parameters = (*self.prompt.parameters, *self.inherited)
        problems = (*self.prompt.problems, *self.found)
        pieces = self.pieces or (self.piece(),)
        contexts = tuple(self.contexts)
        return Text(self.prompt, self.content, contexts, parameters, pieces, problems, self.lines)

    def piece(self, start: int = 1) -> Piece:
        return Piece(start, self.prompt.body.count("\n") + 1, self.prompt.file, self.prompt.line)

    def names(self) -> Iterable[str]:
        return [one.name for one in (*self.prompt.parameters, *self.inherited)]

    # -- sections of the front matter ------------------------------------------------------------------

    def with_sections(self) -> str:
        """The body, then each section of the front matter; a list of files is left empty for now."""
        parts = [self.prompt.body] if self.prompt.body else []
        for name in TEXT_SECTIONS:
            node = self.prompt.node(name)
            if isinstance(node, Sequence):
                parts += [f"# {name.capitalize()}", self.slot(name)]
            elif isinstance(node, Scalar) and isinstance(plain(node), str) and node.text:
                parts += [f"# {name.capitalize()}", node.text]
        return "\n\n".join(parts)

    @staticmethod
    def slot(name: str) -> str:
        """Where the files of a section go; no text of an author holds these characters by chance."""
        return f"\ue000{name}\ue001"

    def fill_sections(self) -> None:
        for name in TEXT_SECTIONS:
            node = self.prompt.node(name)
            if name == "context" or node is None:
                continue
            if isinstance(node, Sequence):
                texts = list(self.excerpts(node.items, name))
                self.replace(self.slot(name), "\n\n".join(texts))
            elif isinstance(node, Scalar) and node.kind == "str" and node.text.startswith(("./", "../")):
                for text in self.excerpts([node], name):
                    self.replace(node.text, text)

    def excerpts(self, items: list[Node], name: str) -> Iterator[str]:
        """What the files of a section hold; empty ones are left out, the first fault ends it."""
        for item in items:
            try:
                text = self.references.excerpt(written_in(item))
            except FileFault as wrong:
                said = f"{name}: the file {shown(written_in(item))} {wrong}"
                self.found.append(error(item.place, "FILE_NOT_FOUND", said))
                return
            if text:
                yield text

    def replace(self, written: str, text: str) -> None:
        self.content = self.content.replace(written, text, 1)
        self.bound(len(self.content))

    def bound(self, size: int, most: int = MAX_CONTENT) -> None:
        if size > most:
            raise TooLarge(f"the prompt has more than {most:,} characters with the files that it names")

    def add_contexts(self, *, titled: bool) -> None:
        """Context files stand before everything; their section in the text goes."""
        node = self.prompt.node("context")
        if node is None or is_null(node):
            return
        items = node.items if isinstance(node, Sequence) else [node]
        for item in items:
            written = written_in(item)
            name = written.rpartition("/")[2]
            for text in self.excerpts([item], "context"):
                head = f"# {name}\n\n" if titled else ""
                self.contexts.append(f"## Context from {name}\n\n{head}{text}")
                self.bound(sum(map(len, self.contexts)), MAX_CONTEXTS)
        if self.content and items:
            marker = self.slot("context") if isinstance(node, Sequence) else written_in(node)
            content = self.content.replace(marker, "", 1) if marker else self.content
            self.content = HEADING.sub("", content).strip(SPACE)

    def fill_inline(self) -> None:
        """`[file:path]` in the text; when one cannot be read, all stay as they are."""
        if "[file:" not in self.content:
            return
        content = self.content
        for match in INLINE.finditer(self.content):
            try:
                text = self.references.excerpt(match[1].strip())
            except FileFault as wrong:
                place = self.body_place(match.start())
                self.found.append(error(place, "FILE_NOT_FOUND", f"the file {shown(match[1])} {wrong}"))
                return
            content = content.replace(match[0], text, 1) if text else content
            self.bound(len(content))
        self.content = content

    def body_place(self, at: int) -> Place:
        before = self.content[:at]
        line = min(before.count("\n"), self.prompt.body.count("\n"))
        return Place(self.prompt.file, self.prompt.line + line, at - before.rfind("\n"))

    # -- inheritance -----------------------------------------------------------------------------------

    def fill_packages(self) -> None:
        """`@prefix/path` in the text becomes what that file holds."""
        for one in self.references.imports.values():
            start = f"@{one.prefix}/"
            if not one.prefix or start not in self.content:
                continue
            shelf = Shelf(self.files, one.folder)
            parts = re.split(re.escape(start) + r"(\S+)", self.content)
            for at in range(1, len(parts), 2):
                parts[at] = self.references.resource(shelf, one, parts[at])
                self.bound(sum(map(len, parts)))
            self.content = "".join(parts)

    def inherit(self, path: str) -> None:
        """One level: what the parent inherits or adds in its front matter is not followed, as upstream does."""
        base = prompt.of(promptfront.read(self.files[path], path))
        if not base.usable:
            said = f"the inherited prompt {shown(path)} cannot be read: {base.problems[0].message}"
            self.found.append(error(self.prompt.at("inherits"), "INHERITS_FAILED", said))
            return
        own = {one.name for one in self.prompt.parameters}
        added = (one for one in base.parameters if one.name not in own)
        self.inherited = promptparams.inherited(added)
        self.pieces = (Piece(1, base.body.count("\n") + 1, base.file, base.line),)
        if self.overrides() and self.merge(base.body):
            return
        if base.body and self.content:
            self.pieces += (self.piece(base.body.count("\n") + 3),)
        self.content = "\n\n".join(part for part in (base.body, self.content) if part)
        self.bound(len(self.content))

    def overrides(self) -> dict[str, str | None]:
        node = self.prompt.node("override")
        if not isinstance(node, Mapping):
            return {}
        written = {key: plain(value) for key, value in node.entries.items()}
        return {key: value for key, value in written.items() if value is None or isinstance(value, str)}

    def merge(self, parent: str) -> bool:
        """Section by section; when that fails, the texts are simply put after one another."""
        try:
            self.content = promptsections.merged(parent, self.content, self.overrides(), self.section_file)
        except (SectionFault, FileFault) as wrong:
            self.found.append(warning(self.prompt.at("override"), "OVERRIDE_FAILED", str(wrong)))
            return False
        self.pieces = ()
        return True

    def override(self) -> None:
        """Without a parent, sections of the prompt itself are replaced; each that fails stays."""
        try:
            sections = promptsections.split(self.content)
        except SectionFault as wrong:
            self.found.append(warning(self.prompt.at("override"), "OVERRIDE_FAILED", str(wrong)))
            return
        for name, path in self.overrides().items():
            if name not in sections:
                said = f"the text has no section {shown(name)}"
                self.found.append(warning(self.prompt.at("override"), "OVERRIDE_FAILED", said))
                continue
            try:
                sections = promptsections.replaced(sections, {name: path}, self.section_file)
            except FileFault as wrong:
                self.found.append(warning(self.prompt.at("override"), "OVERRIDE_FAILED", str(wrong)))
        self.content = "\n\n".join(sections.values())

    def section_file(self, written: str) -> str:
        try:
            return self.references.shelf.text(self.references.shelf.find(written))
        except FileFault as wrong:
            raise FileFault(f"the file {shown(written)} {wrong}") from None

    # -- code ------------------------------------------------------------------------------------------

    def keep_matching_code(self) -> None:
        """With context files, fenced code in other languages than theirs is taken out."""
        node = self.prompt.node("context")
        if node is None or is_null(node):
            return
        items = node.items if isinstance(node, Sequence) else [node]
        wanted = {name for item in items for name in languages(written_in(item))}
        if wanted:
            kept = CODE.sub(lambda m: m[0] if not m[1] or m[1].lower() in wanted else "", self.content)
            self.content = EMPTY.sub("\n\n", kept)
