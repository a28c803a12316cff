"""A folder of this machine as the files of prompts: each is read when it is looked at, none outside is."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bundles.folder import NEVER
from bundles.prompttest import ENDING

MAX_FILES = 20_000
MARKS = ("bundle.yaml", "bundle.yml")


class PromptFolder(Mapping[str, bytes]):
    """Paths below a root; links that lead out of it are not there."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._read: dict[str, bytes] = {}

    def _path(self, name: object) -> Path | None:
        if not isinstance(name, str) or not name or "\0" in name:
            return None
        path = (self.root / name).resolve()
        return path if path.is_relative_to(self.root) and path.is_file() else None

    def __contains__(self, name: object) -> bool:
        return self._path(name) is not None

    def __getitem__(self, name: str) -> bytes:
        if name not in self._read:
            path = self._path(name)
            if path is None:
                raise KeyError(name)
            self._read[name] = path.read_bytes()
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        count = 0
        for folder, inner, names in os.walk(self.root):
            inner[:] = sorted(set(inner) - NEVER)
            for name in sorted(names):
                count += 1
                if count > MAX_FILES:
                    return
                yield (Path(folder) / name).relative_to(self.root).as_posix()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def below(self, folder: str) -> Mapping[str, bytes]:
        """The same files, of whose tests only those below a folder are listed."""
        return _Tests(self, "" if folder == "." else folder + "/")


class _Tests(Mapping[str, bytes]):
    """Everything can be read; only tests of one folder, and what is no test, are listed."""

    def __init__(self, files: PromptFolder, start: str) -> None:
        self.files, self.start = files, start

    def __contains__(self, name: object) -> bool:
        return name in self.files

    def __getitem__(self, name: str) -> bytes:
        return self.files[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.files if not name.endswith(ENDING) or name.startswith(self.start))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def root_of(path: Path) -> Path:
    """The bundle around a file, else all packages around its package, else the folder above its own."""
    start = path.resolve() if path.is_dir() else path.resolve().parent
    above = (start, *start.parents)
    for folder in above:
        if any((folder / mark).is_file() for mark in MARKS):
            return folder
    for folder in above:
        if folder.name == "packages" and folder.parent != folder:
            return folder.parent
    for folder in above:
        if (folder / "prompd.json").is_file():
            return folder.parent.parent if folder.parent.name.startswith("@") else folder
    if path.is_dir():
        return start
    return start.parent if start.parent.parent != start.parent else start
