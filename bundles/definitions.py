"""The meaning of a stored revision, worked out once in each process: revisions never change."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from uuid import UUID

from bundles import checks, files, flow
from bundles.bundle import Definition, load
from bundles.checks import Checks
from bundles.flowmodel import Flow
from bundles.models import Revision

KEPT = 256
LOOK_BACK = 50  # revisions in which the last good text of a flow is looked for


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

    def listed(self, path: str) -> tuple[str, int]:
        """What tells a file's content from any other."""
        sha256, size = self._listing[path]
        return sha256, size

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


def served(revision: Revision) -> Definition:
    """As it runs: a flow with errors is what it was in the newest revision before that in which it had none."""
    return _served(revision.pk)


def checks_of(revision: Revision) -> Checks:
    return _checks(revision.pk)


@lru_cache(maxsize=KEPT)
def _definition(pk: UUID) -> Definition:
    return load(contents_of(Revision.objects.get(pk=pk)))


@lru_cache(maxsize=KEPT)
def _checks(pk: UUID) -> Checks:
    return checks.read(contents_of(Revision.objects.get(pk=pk)), _definition(pk).services)


@lru_cache(maxsize=KEPT)
def _served(pk: UUID) -> Definition:
    meaning = _definition(pk)
    faulty = {name: meaning.flows[name] for name, one in meaning.organisms.items() if one.has_errors}
    if not faulty:
        return meaning
    revision = Revision.objects.get(pk=pk)
    earlier = Revision.objects.filter(bundle=revision.bundle_id, number__lt=revision.number)
    listings = [contents_of(one) for one in earlier.order_by("-number")[:LOOK_BACK]]
    found = {name: good for name, path in faulty.items() if (good := last_good(name, path, listings))}
    return replace(meaning, organisms={**meaning.organisms, **found})


def last_good(name: str, path: str, listings: list[Stored]) -> Flow | None:
    """The flow in the first of these folders in which it has no errors; none where it was not there for a while."""
    seen: object = None
    for contents in listings:
        if path not in contents:
            return None
        if contents.listed(path) != seen:
            seen = contents.listed(path)
            found = flow.load(name, path, contents)
            if not found.has_errors:
                return found
    return None
