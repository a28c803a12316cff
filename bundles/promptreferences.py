"""What a prompt refers to beside itself: packages by prefix, files, and the prompt that it inherits."""

from collections.abc import Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from bundles.prompt import Prompt
from bundles.promptfiles import FileFault, Shelf, folder_of
from bundles.promptfront import Diagnostic, body_of, error, is_null, warning
from bundles.promptpackages import Packages, Reference, reference
from bundles.values import Mapping, Node, Place, Scalar, Sequence, shown

MAX_FILES = 100  # that one prompt may name


class TooLarge(Exception):
    """A prompt that names too much."""


@dataclass(frozen=True, slots=True)
class Import:
    """A package by the name that the prompt gives it."""

    written: str
    folder: str
    prefix: str


@dataclass(slots=True)
class References:
    """Finds what is written in one prompt; faults are noted in ``found``."""

    files: Map[str, bytes]
    prompt: Prompt
    found: list[Diagnostic]
    imports: dict[str, Import] = field(default_factory=dict)
    named: int = 0
    shelf: Shelf = field(init=False)
    packages: Packages = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.files, folder_of(self.prompt.file))
        self.packages = Packages(self.files)

    def use(self) -> None:
        for written, prefix, place in _uses(self.prompt.node("using")):
            if prefix is None:
                said = f"the package {shown(written)} needs a 'prefix'"
                self.found.append(error(place, "MISSING_PREFIX", said, "the short name used in references"))
                continue
            whole = reference(written)
            try:
                if whole is None or whole.path:
                    raise FileFault("is not of the form @namespace/package@1.0.0")
                self.imports[written] = Import(written, self.packages.find(whole).folder, prefix)
            except FileFault as wrong:
                said = f"the package {shown(written)} {wrong}"
                self.found.append(warning(place, "PACKAGE_NOT_FOUND", said))

    def expanded(self, written: str) -> str:
        """A reference with its prefix replaced by the package that it stands for."""
        alias, slash, rest = written.partition("/")
        if slash and alias.startswith("@"):
            for one in self.imports.values():
                if alias in (one.prefix, "@" + one.prefix):
                    return f"{one.written}/{rest}"
        return written

    def reference(self, written: str) -> Reference | None:
        """A file of a package; None for a path."""
        if not written.startswith("@"):
            return None
        whole = reference(self.expanded(written))
        if whole is None or not whole.path:
            raise FileFault("is not of the form @namespace/package@1.0.0/path")
        return whole

    def resource(self, shelf: Shelf, one: Import, written: str) -> str:
        self.count()
        for ending in ("", ".prmd", ".md", ".txt"):
            try:
                path = shelf.find(written + ending, within=one.folder)
                text = shelf.text(path)
            except FileFault:
                continue
            if not path.endswith(".prmd"):
                return text
            return body_of(text) or f"# Content from @{one.prefix}/{written}"
        said = f"the package {one.written} has no file {shown(written)}"
        self.found.append(warning(self.prompt.at("using"), "PACKAGE_FILE_NOT_FOUND", said))
        return f"[Not found: @{one.prefix}/{written}]"

    def parent(self) -> str:
        """The path of the prompt that is inherited; empty when there is none."""
        node = self.prompt.node("inherits")
        if node is None or is_null(node) or not isinstance(node, Scalar) or not node.text:
            return ""
        written = self.expanded(node.text)
        try:
            found = self.packaged(written) if written.startswith("@") else self.shelf.find(written)
        except FileFault as wrong:
            code = "INHERITS_NOT_FOUND" if written.startswith("@") else "INHERITS_FILE_NOT_FOUND"
            said = f"the inherited prompt {shown(node.text)} {wrong}"
            self.found.append(error(node.place, code, said))
            return ""
        if found == self.prompt.file:
            self.found.append(error(node.place, "INHERITS_ITSELF", "the prompt inherits itself"))
            return ""
        return found

    def packaged(self, written: str) -> str:
        whole = reference(written)
        if whole is None:
            raise FileFault("is in no package that 'using' names")
        package = self.packages.find(whole)
        if whole.path:
            return Shelf(self.files, package.folder).find(whole.path, within=package.folder)
        inside = sorted(path for path in self.files if folder_of(path) == package.folder)
        prompts = [path for path in inside if path.endswith(".prmd")]
        if not prompts:
            raise FileFault("names no file, and the package has no prompt at its top")
        main = f"{package.folder}/main.prmd"
        return main if main in prompts else prompts[0]

    def excerpt(self, written: str) -> str:
        self.count()
        whole = self.reference(written)
        if whole is None:
            return self.shelf.excerpt(written)
        package = self.packages.find(whole)
        shelf = Shelf(self.files, package.folder)
        shelf.find(whole.path, within=package.folder)
        return shelf.excerpt(whole.path)

    def count(self) -> None:
        self.named += 1
        if self.named > MAX_FILES:
            raise TooLarge(f"the prompt names more than {MAX_FILES} files")


def written_in(node: Node) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _uses(node: Node | None) -> Iterator[tuple[str, str | None, Place]]:
    """Package, prefix and place of each import; a missing prefix is None, a bare name has an empty one."""
    if isinstance(node, Scalar) and node.kind == "str":
        yield node.text, "", node.place
    elif isinstance(node, Mapping):
        for name, value in node.entries.items():
            given = value.entries.get("prefix") if isinstance(value, Mapping) else value
            yield name, written_in(given) or None if given is not None else None, node.keys[name]
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _use(item)


def _use(item: Node) -> Iterator[tuple[str, str | None, Place]]:
    if isinstance(item, Scalar) and item.kind == "str":
        yield item.text, "", item.place
    elif isinstance(item, Mapping):
        name = item.entries.get("name", item.entries.get("package"))
        prefix = item.entries.get("prefix")
        if name is not None and written_in(name):
            yield written_in(name), (written_in(prefix) or None) if prefix is not None else None, item.place
