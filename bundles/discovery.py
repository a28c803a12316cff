"""Finds the modules, flows and prompts of a bundle: those that bundle.yaml lists, and the rest by folder."""

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from bundles import fields, names, paths, values
from bundles.fields import Field
from bundles.values import Mapping, Node, Place, Report, Scalar, shown

LISTED_FIELDS = fields.table(
    Field("name", "name", "Name used in targets; by default taken from the file"),
    Field("path", "string", "Path of the file, relative to the bundle folder", required=True),
)
FLOW_FILE = re.compile(r"flows/([^/]+)\.ya?ml")
ORGANISM = re.compile(r"(?:flows/)?([^/]+)/organism\.ya?ml")
PDFLOW = re.compile(r"(?:(?:flows|workflows)/(?:[^/]+/)*)?([^/]+)\.pdflow")
MODULE = re.compile(r"wasm/([^/]+)\.wasm")
PROMPT = re.compile(r"prompts/(?:[^/]+/)*([^/]+)\.prmd")
MAX_FRONT = 64 * 1024


@dataclass(slots=True)
class Finder:
    """Collects names of one kind; a name may stand for one file only."""

    kind: str
    files: Map[str, bytes]
    report: Report
    found: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def listed(self, items: list[Node]) -> None:
        """Entries of bundle.yaml: a path, or a mapping with `path` and perhaps `name`."""
        for item in items:
            path, name = self._item(item)
            if path is not None:
                self.add(name or self.default_name(path), path, item.place)

    def discovered(self) -> None:
        """Files in their usual folders that are not listed."""
        known = set(self.found.values())
        for path in sorted(self.files):
            if path not in known and (name := self.usual_name(path)):
                self.add(name, path, Place(path, 1, 1))

    def add(self, name: str, path: str, place: Place) -> None:
        if why := names.fault(name):
            self.report.error(place, f"the name of this {self.kind}, {shown(name)}, {why}")
        elif name not in self.found:
            self.found[name], self.places[name] = path, place
        elif self.found[name] != path:
            message = f"the {self.kind} {shown(name)} stands for two files, {self.found[name]} and {path}"
            self.report.error(place, message, "rename one of them")

    def usual_name(self, path: str) -> str:
        if self.kind == "module":
            return _stem(MODULE, path)
        if self.kind == "flow":
            return _stem(FLOW_FILE, path) or _stem(ORGANISM, path) or _stem(PDFLOW, path)
        is_prompt = PROMPT.fullmatch(path) and not path.endswith(".test.prmd")
        return self.default_name(path) if is_prompt else ""

    def default_name(self, path: str) -> str:
        """From the file's name; a flow in organism.yaml has its folder's name, a prompt its own id."""
        if organism := ORGANISM.fullmatch(path):
            return organism[1]
        stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        return (prompt_id(self.files[path], path) or stem) if self.kind == "prompt" else stem

    def _item(self, item: Node) -> tuple[str | None, str]:
        if isinstance(item, Scalar) and item.kind == "str":
            return self._path(item.text, item.place), ""
        entry = fields.mapping(item, self.report, of=f"a {self.kind}")
        if entry is None:
            return None, ""
        found = fields.read(entry, LISTED_FIELDS, self.report, of=f"a {self.kind}")
        path = found.get("path")
        return (self._path(path, found.at("path")) if path else None), found.get("name", "")

    def _path(self, path: str, place: Place) -> str | None:
        tidy = paths.tidy(path)
        if why := paths.file_fault(path):
            self.report.error(place, f"the path {shown(path)} {why}")
        elif tidy not in self.files:
            meant = self.report.meant(tidy, self.files)
            self.report.warning(place, f"the file {shown(path)} is not in the bundle{meant}")
        else:
            return tidy
        return None


def find(kind: str, items: list[Node], files: Map[str, bytes], report: Report) -> dict[str, str]:
    """Name -> path of all modules, flows or prompts."""
    finder = Finder(kind, files, report)
    finder.listed(items)
    finder.discovered()
    return finder.found


def _stem(pattern: re.Pattern[str], path: str) -> str:
    found = pattern.fullmatch(path)
    return found[1] if found else ""


def prompt_id(data: bytes, path: str) -> str:
    """The `id` in the front matter; what is wrong in there is the prompt reader's to report."""
    text = data[:MAX_FRONT].removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    if not text.startswith(b"---\n"):
        return ""
    front = text[4:].partition(b"\n---")[0]
    root = values.parse(front, file=path).root
    found = root.entries.get("id") if isinstance(root, Mapping) else None
    return found.text if isinstance(found, Scalar) and found.kind == "str" else ""
