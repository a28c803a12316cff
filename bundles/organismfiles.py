"""Listeners in files of their own: `listeners: {directory: …, include: ["*.yaml"]}`."""

import fnmatch
import posixpath

from bundles import paths, values
from bundles.fields import Field, table
from bundles.flowfields import Reader
from bundles.values import Mapping, Node, Place, Scalar, Sequence, shown

DIRECTORY_FIELDS = table(
    Field("directory", "string", "The folder, beside this file or in the bundle; listeners unless told"),
    Field("include", "list", "Patterns of file names; *.yaml and *.yml unless told"),
)
USUAL = ("*.yaml", "*.yml")
MAX_FILES = 1_000
MAX_PATTERN = 100


def listeners(node: Mapping, reader: Reader) -> list[Node]:
    """The listeners of all these files, in the order of their names."""
    found = reader.read(node, DIRECTORY_FIELDS, of="listeners")
    patterns = [item.text for item in found.items("include") if isinstance(item, Scalar)] or list(USUAL)
    written = found.get("directory", "listeners")
    for folder in _folders(written, reader.file):
        if files := _matching(folder, patterns, reader):
            return [listener for path in files for listener in _read(path, reader)]
    hint = f"expected in {_folders(written, reader.file)[0]}/"
    reader.report.warning(found.at("directory"), f"no file of listeners in {shown(written)}", hint)
    return []


def _folders(written: str, file: str) -> list[str]:
    """Where they may be; a folder of the author's machine stands for the last part of its name."""
    home = posixpath.dirname(file)
    tidy = written.strip("/").removeprefix("~/")
    beside = [posixpath.join(home, tidy), tidy, posixpath.join(home, posixpath.basename(tidy))]
    return [posixpath.normpath(path) for path in beside]


def _matching(folder: str, patterns: list[str], reader: Reader) -> list[str]:
    if paths.file_fault(folder):
        return []
    short = [pattern for pattern in patterns if len(pattern) <= MAX_PATTERN]
    inside = (path for path in reader.files if posixpath.dirname(path) == folder and path != reader.file)
    found = [p for p in inside if any(fnmatch.fnmatchcase(posixpath.basename(p), one) for one in short)]
    if len(found) > MAX_FILES:
        reader.report.error(Place(reader.file, 1, 1), f"{folder} has more than {MAX_FILES} listeners")
    return sorted(found)[:MAX_FILES]


def _read(path: str, reader: Reader) -> list[Node]:
    """One listener, alone or under `listener:`, or a list of them under `listeners:`."""
    reader.sources.append(path)
    document = values.parse(reader.files[path], file=path)
    reader.report.extend(document.problems)
    root = document.root
    if not isinstance(root, Mapping):
        return [root] if root else []
    inner = root.entries.get("listeners", root.entries.get("listener"))
    if inner is None or "name" in root.entries:
        return [root]
    return inner.items if isinstance(inner, Sequence) else [inner]
