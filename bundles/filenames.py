"""The rules for the names of a bundle's files, whichever door they come through, and where its root is."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from posixpath import basename

HEAD = "bundle.yaml"
NEARLY = (HEAD, "bundle.yml", "bundle.yaml.txt")  # what people have who do not have it
MAX_SEGMENT_BYTES = 255

_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?\Z", re.IGNORECASE
)
_GIT = re.compile(r"(?:\.git|git~[0-9]+)\Z", re.IGNORECASE)
# Control, format (bidi, zero-width), surrogate, private use, unassigned, line and paragraph separators.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class ArchiveRefused(Exception):
    """The whole upload is refused. `entry` is the file it is about, escaped so that it can be shown."""

    def __init__(self, reason: str, entry: str = "") -> None:
        self.reason = reason
        self.entry = shown(entry)
        super().__init__(f"{self.entry}: {reason}" if entry else reason)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a bundle may be, packed and unpacked."""

    entries: int = 2_000
    total: int = 50_000_000
    single: int = 20_000_000
    packed: int = 60_000_000
    ratio: int = 200
    ratio_from: int = 65_536  # a few kilobytes of spaces may compress as well as they like
    depth: int = 12
    length: int = 240


LIMITS = Limits()


def shown(name: str) -> str:
    """`name` without anything that moves a cursor, reorders text or fills a page."""
    plain = "".join(f"\\u{ord(c):04x}" if unicodedata.category(c) in _HIDDEN else c for c in name[:200])
    return plain if len(name) <= 200 else plain + "…"


def why_bad(path: str, limits: Limits = LIMITS) -> str | None:
    """What is wrong with the path of a file inside a bundle, or None."""
    if path.startswith("/"):
        return "the path is absolute"
    if "\\" in path or ":" in path:
        return "the path contains a backslash or a colon"
    if len(path) > limits.length:
        return f"the path is longer than {limits.length} characters"
    segments = path.split("/")
    if len(segments) > limits.depth:
        return f"the path is deeper than {limits.depth} folders"
    return next(filter(None, map(_why_bad_segment, segments)), None)


def _why_bad_segment(segment: str) -> str | None:
    if segment in ("", ".", ".."):
        return "the path contains an empty, '.' or '..' part"
    if any(unicodedata.category(character) in _HIDDEN for character in segment):
        return "the name contains invisible or control characters"
    if unicodedata.normalize("NFC", segment) != segment:
        return "the name is not in composed Unicode form (NFC)"
    if segment[-1] in ". " or segment[0] == " ":
        return "the name starts with a space, or ends with a space or a dot"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"a part of the path is longer than {MAX_SEGMENT_BYTES} bytes"
    if _RESERVED.match(segment):
        return "the name is reserved by Windows"
    if _GIT.match(segment):
        return "'.git' does not belong in a bundle"
    return None


def check_path(path: str, limits: Limits = LIMITS) -> None:
    if reason := why_bad(path, limits):
        raise ArchiveRefused(reason, path)


def check_names(paths: Iterable[str], limits: Limits = LIMITS) -> None:
    """Each name by itself, and all together: none twice, none that differ only in case, no file as a folder.

    A name that ends in "/" is a folder.
    """
    seen: dict[str, tuple[str, bool]] = {}
    for path in paths:
        check_path(path.removesuffix("/"), limits)
        segments = path.removesuffix("/").split("/")
        for depth in range(1, len(segments)):
            _claim(seen, "/".join(segments[:depth]), is_file=False)
        _claim(seen, path.removesuffix("/"), is_file=not path.endswith("/"))


def check_files(files: Mapping[str, bytes], limits: Limits = LIMITS) -> None:
    """All rules for a set of files that arrived by any door: names, number, sizes."""
    if len(files) > limits.entries:
        raise ArchiveRefused(f"more than {limits.entries} files")
    for path, data in files.items():
        if path.endswith("/"):
            raise ArchiveRefused("the name of a file ends with '/'", path)
        if len(data) > limits.single:
            raise ArchiveRefused(f"larger than {limits.single} bytes", path)
    check_names(files, limits)
    if sum(map(len, files.values())) > limits.total:
        raise ArchiveRefused(f"all files together are larger than {limits.total} bytes")


def is_litter(path: str) -> bool:
    """What desktops put into archives by themselves."""
    return path.split("/")[0] == "__MACOSX" or basename(path) == ".DS_Store"


def find_root(paths: Iterable[str]) -> str:
    """The folder of the one bundle.yaml: empty for the root, or "folder/"."""
    paths = list(paths)
    heads = sorted(path for path in paths if basename(path) == HEAD and path.count("/") <= 1)
    if not heads:
        near = sorted(path for path in paths if basename(path).casefold() in NEARLY)
        found = f"; there is {shown(near[0])}" if near else ""
        raise ArchiveRefused(f"no {HEAD} at the root or one folder deep{found}")
    if len(heads) > 1:
        raise ArchiveRefused(f"more than one {HEAD}: {', '.join(map(shown, heads[:5]))}", heads[1])
    return heads[0].removesuffix(HEAD)


def _claim(seen: dict[str, tuple[str, bool]], path: str, *, is_file: bool) -> None:
    """Enter a file or folder under the key that a case-blind file system would give it."""
    key = unicodedata.normalize("NFC", path.casefold())
    if key not in seen:
        seen[key] = (path, is_file)
        return
    other, other_is_file = seen[key]
    if other != path:
        raise ArchiveRefused(f"the name differs only in case from '{shown(other)}'", path)
    if is_file != other_is_file:
        raise ArchiveRefused("the name is both a file and a folder", path)
    if is_file:
        raise ArchiveRefused("the name appears twice", path)
