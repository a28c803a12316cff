"""Packages that lie in the bundle, found by the name and version in their prompd.json, never by their folder."""

import json
import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field

from bundles.promptfiles import FileFault, folder_of

MANIFEST = "prompd.json"
MAX_MANIFEST = 256 * 1024
MAX_PACKAGES = 500
REFERENCE = re.compile(r"(@[\w.-]+/[\w.-]+)(?:@([\w.-]+))?(?:/(.+))?", re.ASCII)
NUMBER = re.compile(r"\d{1,9}")


@dataclass(frozen=True, slots=True)
class Package:
    name: str
    version: str
    folder: str


@dataclass(frozen=True, slots=True)
class Reference:
    """`@ns/pkg@1.0.0/prompts/x.prmd` in its parts."""

    name: str
    version: str
    path: str

    @property
    def package(self) -> str:
        return f"{self.name}@{self.version}" if self.version else self.name


def reference(text: str) -> Reference | None:
    found = REFERENCE.fullmatch(text)
    return Reference(found[1], found[2] or "", found[3] or "") if found else None


@dataclass(slots=True)
class Packages:
    """Read when somebody first asks."""

    files: Map[str, bytes]
    known: list[Package] | None = field(default=None)

    def find(self, wanted: Reference) -> Package:
        """Exactly this name and this version; without a version the only or newest one."""
        if self.known is None:
            self.known = list(_found(self.files))
        named = [one for one in self.known if one.name == wanted.name]
        if not wanted.version and named:
            return max(named, key=lambda one: _order(one.version))
        for one in named:
            if one.version == wanted.version:
                return one
        there = ", ".join(sorted({one.version for one in named})[:5])
        raise FileFault(f"is not in the bundle; there is {there}" if there else "is not in the bundle")


def _found(files: Map[str, bytes]) -> list[Package]:
    manifests = sorted(path for path in files if path.endswith(MANIFEST))
    exact = [path for path in manifests if path.rpartition("/")[2] == MANIFEST]
    read = (_read(path, files[path]) for path in exact[:MAX_PACKAGES])
    return [one for one in read if one is not None]


def _read(path: str, data: bytes) -> Package | None:
    """A manifest that cannot be read names no package."""
    if len(data) > MAX_MANIFEST:
        return None
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    name, version = (found.get("name"), found.get("version")) if isinstance(found, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(version, str):
        return None
    return Package(name, version, folder_of(path))


def _order(version: str) -> tuple[list[int], bool]:
    numbers, _, tag = version.partition("-")
    return [int(found) for found in NUMBER.findall(numbers)], not tag
