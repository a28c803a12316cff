"""The meaning of a stored revision, worked out once in each process: revisions never change."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from uuid import UUID

from bundles import checks, files
from bundles.bundle import Definition, load
from bundles.checks import Checks
from bundles.models import Revision

KEPT = 256


class Stored(Mapping[str, bytes]):
    """The files of a revision, each read from the storage when it is first looked at."""

    def __init__(self, listing: Mapping[str, tuple[str, int]]) -> None:
        self._listing = listing
        self._read: dict[str, bytes] = {}

    def __getitem__(self, path: str) -> bytes:
        if path not in self._read:
            sha256, size = self._listing[path]
            self._read[path] = files.get(sha256, size)
        return self._read[path]

    def __contains__(self, path: object) -> bool:
        return path in self._listing

    def __iter__(self) -> Iterator[str]:
        return iter(self._listing)

    def __len__(self) -> int:
        return len(self._listing)


def contents_of(revision: Revision) -> Stored:
    return Stored(revision.files)


def definition(revision: Revision) -> Definition:
    """Modules are not read for it, only their names."""
    return _definition(revision.pk)


def checks_of(revision: Revision) -> Checks:
    return _checks(revision.pk)


@lru_cache(maxsize=KEPT)
def _definition(pk: UUID) -> Definition:
    return load(contents_of(Revision.objects.get(pk=pk)))


@lru_cache(maxsize=KEPT)
def _checks(pk: UUID) -> Checks:
    return checks.read(contents_of(Revision.objects.get(pk=pk)), _definition(pk).services)
