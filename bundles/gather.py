"""Brings the services of a bundle together: files named by path, inline ones, and additions to either."""

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass

from bundles import fields, overlay, paths, values
from bundles.fields import Field, Unique
from bundles.service import SERVICE_FIELDS
from bundles.values import Mapping, Node, Place, Report, Scalar, shown

ENTRY_FIELDS = fields.table(
    Field("path", "string", "Path of the service file, relative to the bundle folder"),
    Field("name", "name", "Name of an inline service, or of the service that this entry adds to"),
    *(field for name, field in SERVICE_FIELDS.items() if name not in ("name", "services")),
)
SUFFIX = re.compile(r"[-_ ]?[Ss]ervice$")
HEAD = "bundle.yaml"
MAX_SERVICES = 200


@dataclass(slots=True)
class Draft:
    """A service before it is read: its mapping, and the file it stands in."""

    name: str
    node: Mapping
    path: str

    @property
    def short(self) -> str:
        return SUFFIX.sub("", self.name)

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0].rpartition("/")[2]


class Gatherer:
    """Collects drafts from the entries of bundle.yaml."""

    def __init__(self, files: Map[str, bytes], report: Report) -> None:
        self.files = files
        self.report = report
        self.drafts: list[Draft] = []
        self.additions: list[Mapping] = []
        self.paths = Unique("service file", report)
        self.inline = Unique("inline service", report)

    def gather(self, items: list[Node]) -> list[Draft]:
        """All services; files first, then inline entries and additions, whatever their order."""
        if len(items) > MAX_SERVICES:
            self.report.error(items[MAX_SERVICES].place, f"a bundle has at most {MAX_SERVICES} services")
        unnamed = [entry for item in items[:MAX_SERVICES] if (entry := self._entry(item))]
        for entry in unnamed:
            self._inline(entry)
        if len(self.additions) > MAX_SERVICES:
            place = self.additions[MAX_SERVICES].place
            self.report.error(place, f"service files may add to at most {MAX_SERVICES} services")
        for addition in self.additions[:MAX_SERVICES]:
            self._add(addition)
        return self.drafts

    def _entry(self, item: Node) -> Mapping | None:
        """Reads the file of an entry with `path`; answers the entry when it has none."""
        entry = fields.mapping(item, self.report, of="an entry of 'services'")
        if entry is None:
            return None
        path = entry.entries.get("path")
        if path is None:
            return entry
        if not isinstance(path, Scalar) or path.kind != "str":
            self.report.error(path.place, f"'path' must be text, but here is {fields.describe(path)}")
        elif (tidy := self._confined(path)) is not None:
            self._file(tidy, path.place, entry)
        return None

    def _confined(self, path: Scalar) -> str | None:
        tidy = paths.tidy(path.text)
        if why := paths.file_fault(path.text) or ("is empty" if not tidy else ""):
            self.report.error(path.place, f"the path {shown(path.text)} {why}")
        elif tidy == HEAD:
            self.report.error(path.place, f"the path {shown(path.text)} is this bundle itself")
        elif tidy not in self.files:
            self._missing(path, tidy)
        elif self.paths.take(tidy, path.place):
            return tidy
        return None

    def _missing(self, path: Scalar, tidy: str) -> None:
        if any(name.startswith(tidy + "/") for name in self.files):
            self.report.error(path.place, f"the path {shown(path.text)} is a folder, not a file")
            return
        texts = [name for name in self.files if name.endswith((".yaml", ".yml"))]
        meant = self.report.meant(tidy, texts)
        message = f"the file {shown(path.text)} is not in the bundle{meant}"
        self.report.error(path.place, message, "the path is relative to the folder of bundle.yaml")

    def _file(self, path: str, place: Place, entry: Mapping) -> None:
        document = values.parse(self.files[path], file=path)
        self.report.extend(document.problems)
        root = document.root
        if root is None:
            return
        if isinstance(root, Scalar) and root.kind == "null":
            self.report.error(place, f"the file {shown(path)} is empty")
            return
        node = fields.mapping(root, self.report, of="a service file")
        if node is not None:
            self._service(path, node, entry)

    def _service(self, path: str, node: Mapping, entry: Mapping) -> None:
        """A service file; beside its own service it may hold additions to others."""
        added = node.entries.get("services")
        if added is not None:
            self._additions(added)
            if node.entries.keys() <= {"services"}:
                return
        own = overlay.name_of(node)
        name = own or overlay.name_of(entry) or path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        if len(entry.entries) > 1:
            self._check_name(own, entry)
            node = overlay.merge(node, entry, leave=frozenset({"path", "name"} if own else {"path"}))
        self.drafts.append(Draft(name, node, path))

    def _additions(self, added: Node) -> None:
        if not isinstance(added, values.Sequence):
            self.report.error(added.place, f"'services' must be a list, but here is {fields.describe(added)}")
            return
        for item in added.items:
            addition = fields.mapping(item, self.report, of="an entry of 'services'")
            if addition is not None and "path" in addition.entries:
                self.report.error(addition.keys["path"], f"only {HEAD} may name service files by 'path'")
            elif addition is not None:
                self.additions.append(addition)

    def _inline(self, entry: Mapping) -> None:
        """An entry of bundle.yaml without `path`; the same name twice cannot be meant."""
        name = overlay.name_of(entry)
        if not name or self.inline.take(name, entry.place):
            self._add(entry)

    def _add(self, entry: Mapping) -> None:
        name = overlay.name_of(entry)
        if not name:
            self._nameless(entry)
            return
        found = self._match(name)
        if len(found) > 1:
            among = ", ".join(draft.name for draft in found[:5])
            message = f"the service {shown(name)} could be one of: {among}"
            self.report.error(entry.place, message, "write its full name")
        elif found:
            found[0].node = overlay.merge(found[0].node, entry, leave=frozenset({"name"}))
        else:
            self._note_new(name, entry)
            self.drafts.append(Draft(name, entry, ""))

    def _nameless(self, entry: Mapping) -> None:
        written = entry.entries.get("name")
        if written is None:
            self.report.error(entry.place, "a service needs 'path' (a file) or 'name'")
        else:
            only = Mapping(entry.place, {"name": written}, entry.keys)
            fields.read(only, SERVICE_FIELDS, self.report, of="a service")

    def _match(self, name: str) -> list[Draft]:
        """By name, then by name without "Service", then by folder."""
        short = SUFFIX.sub("", name)
        in_files = [draft for draft in self.drafts if draft.path]
        return (
            [draft for draft in self.drafts if draft.name == name]
            or [draft for draft in in_files if draft.short == short]
            or [draft for draft in in_files if draft.folder == name]
        )

    def _check_name(self, own: str, entry: Mapping) -> None:
        other = overlay.name_of(entry)
        if own and other and own != other:
            message = f"the file names this service {shown(own)}, not {shown(other)}"
            self.report.warning(entry.entries["name"].place, message, "the name in the file counts")

    def _note_new(self, name: str, entry: Mapping) -> None:
        """An entry that looks like an addition, beside files, but fits none."""
        files = [draft.name for draft in self.drafts if draft.path]
        if files and not entry.entries.keys() & {"api", "intents"}:
            meant = self.report.meant(name, files)
            message = f"no service file defines {shown(name)}{meant}"
            self.report.warning(entry.place, message, "it becomes a service of its own, without an API")
