"""Files that are no text, as text: sheets of .xlsx, words of .docx, what a picture says of itself. Bounded.

They are loaded when the first such file is met, and need nothing but the standard library.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError, fromstring, iterparse

from bundles.promptfiles import BYTES, spent

MAX_FILE = 4 * 1024 * 1024  # bytes as it is packed
MAX_PART = 3 * 1024 * 1024  # bytes of one part, unpacked
FAULTS = (
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    struct.error,
)


class Unreadable(Exception):
    """A document that cannot be read, and why."""


class Package:
    """The parts of an Office file, each unpacked up to its bound and never trusted."""

    def __init__(self, data: bytes) -> None:
        self.zip = zipfile.ZipFile(BytesIO(data))

    def part(self, name: str) -> bytes | None:
        """XML in UTF-8 without a document type: no entities, no other files."""
        try:
            info = self.zip.getinfo(name)
        except KeyError:
            return None
        with self.zip.open(info) as file:
            data = file.read(MAX_PART + 1)
        if len(data) > MAX_PART:
            raise Unreadable(f"is too large: its part {name} has more than {MAX_PART // 2**20} MB")
        spent.add(len(data) // BYTES)
        if b"<!DOCTYPE" in data or b"\0" in data:
            raise Unreadable("has a document type or an encoding that is not read")
        return data

    def tree(self, name: str, *, needed: bool = False) -> Element:
        """A part as a whole; an empty one where there is none."""
        data = self.part(name)
        if data is None and needed:
            raise Unreadable(f"has no part {name}")
        return Element("none") if data is None else fromstring(data)  # noqa: S314 - see part

    def events(self, name: str) -> Iterator[tuple[str, Element]]:
        """A large part, element by element, as they begin and end."""
        data = self.part(name)
        if data is None:
            raise Unreadable(f"has no part {name}")
        return iter(iterparse(BytesIO(data), events=("start", "end")))  # noqa: S314 - see part


def text_of(name: str, ending: str, data: bytes) -> str:
    """What a prompt is told of it; Unreadable when that is nothing."""
    if len(data) > MAX_FILE:
        raise Unreadable(f"has {len(data)} bytes, the limit of such files is {MAX_FILE}")
    try:
        return reader(ending)(name, data)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, ParseError, *FAULTS):
        raise Unreadable(f"is no {ending} file that can be read") from None


def reader(ending: str) -> Callable[[str, bytes], str]:
    if ending == ".docx":
        from bundles import promptwords

        return promptwords.read
    if ending == ".xlsx":
        from bundles import promptsheets

        return promptsheets.read
    from bundles import promptpictures

    return promptpictures.read
