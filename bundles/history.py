"""Comparing revisions, and taking a bundle out as a ZIP."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import unified_diff
from typing import Literal

from bundles.archive import write_zip
from bundles.definitions import contents_of
from bundles.flowrows import with_canvases
from bundles.models import Revision

MAX_DIFF = 512 * 1024  # of one file; beyond that a comparison takes seconds and nobody reads it


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs; `diff` is None where there is no text to show, and `note` says why."""

    path: str
    status: Literal["added", "removed", "changed"]
    diff: str | None
    note: str = ""


def diff(old: Revision, new: Revision) -> list[Change]:
    before, after = contents_of(old), contents_of(new)
    differing = {path for path in {*before, *after} if old.files.get(path) != new.files.get(path)}
    return [change(path, before.get(path), after.get(path)) for path in sorted(differing)]


def touching(newest_first: Iterable[Revision], path: str) -> Iterator[Revision]:
    """Those in which the file came to be or became another; the oldest one that has it counts."""
    later: Revision | None = None
    for revision in newest_first:
        if later is not None and later.files[path] != revision.files.get(path):
            yield later
        later = revision if path in revision.files else None
    if later is not None:
        yield later


def change(path: str, old: bytes | None, new: bytes | None) -> Change:
    status: Literal["added", "removed", "changed"] = "changed"
    if old is None or new is None:
        status = "added" if old is None else "removed"
    one, two = text_of(old or b""), text_of(new or b"")
    if one is None or two is None:
        return Change(path, status, None, f"binary: {len(old or b'')} → {len(new or b'')} bytes")
    if len(one) + len(two) > MAX_DIFF:
        return Change(path, status, None, "too large to compare")
    return Change(path, status, _unified(path, one, two))


def text_of(data: bytes) -> str | None:
    """The text of a file; None for what no editor should open."""
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _unified(path: str, one: str, two: str) -> str:
    lines = unified_diff(one.splitlines(), two.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    text = "\n".join(lines)
    return text or "only line ends differ"


def export(revision: Revision) -> bytes:
    """A ZIP that is the same for the same files, and imports again to the same content.

    The newest one carries the canvases of its flows along.
    """
    contents = contents_of(revision)
    if revision.number != revision.bundle.revision:
        return write_zip(contents)
    return write_zip(with_canvases(revision.bundle, contents))
