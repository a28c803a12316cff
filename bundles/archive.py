"""ZIP in and out: an upload is read whole or refused whole, never repaired; an export is repeatable."""

import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from typing import Protocol

from bundles.filenames import (
    LIMITS,
    ArchiveRefused,
    Limits,
    check_files,
    check_names,
    check_path,
    find_root,
    is_litter,
)

__all__ = ["ArchiveRefused", "Limits", "check_files", "read_zip", "rooted", "write_zip"]

PIECE = 65_536

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_WIDE = struct.Struct("<2H2Q")  # the field of ZIP64 in a local header
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIPTOR, _UTF8 = 0x0001, 0x0008, 0x0800
_ENCRYPTED_ANY = _ENCRYPTED | 0x0040 | 0x2000
_ZIP64 = 0xFFFF_FFFF


class Readable(Protocol):
    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Entry:
    """What the central directory says of one file; the data itself must agree."""

    raw_name: bytes
    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int

    @property
    def is_folder(self) -> bool:
        return self.name.endswith("/")


def read_zip(source: bytes | Readable, limits: Limits = LIMITS) -> dict[str, bytes]:
    """The files of the bundle in a ZIP, by paths relative to the folder of bundle.yaml."""
    data = _bounded(source, limits)
    entries = list(_directory(data, limits))
    _check_layout(data, entries)
    wanted = [entry for entry in entries if not is_litter(entry.name)]
    for entry in wanted:
        _check_kind(entry)
    check_names((entry.name for entry in wanted), limits)
    files = _unpack(data, wanted, limits)
    return rooted(files)


def write_zip(files: Mapping[str, bytes]) -> bytes:
    """The same bytes for the same files, always: sorted, one fixed date, one compression level."""
    check_files(files)
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, date_time=(1980, 1, 1, 0, 0, 0))
            info.external_attr = (S_IFREG | 0o644) << 16
            info.create_system = 3
            # What compresses beyond our own ratio is stored, or the export could not be imported again.
            modest = _compresses_modestly(files[path])
            info.compress_type = zipfile.ZIP_DEFLATED if modest else zipfile.ZIP_STORED
            archive.writestr(info, files[path])
    return buffer.getvalue()


def _compresses_modestly(data: bytes) -> bool:
    return len(data) <= LIMITS.ratio_from or len(zlib.compress(data, 6)) * LIMITS.ratio // 2 > len(data)


def _bounded(source: bytes | Readable, limits: Limits) -> bytes:
    data = source if isinstance(source, bytes) else source.read(limits.packed + 1)
    if len(data) > limits.packed:
        raise ArchiveRefused(f"the upload is larger than {limits.packed} bytes")
    if not data:
        raise ArchiveRefused("the upload is empty")
    return data


def _directory(data: bytes, limits: Limits) -> Iterator[_Entry]:
    """The central directory, which must lie directly before the end record and hold what that says."""
    count, size, start = _end_record(data)
    if count > limits.entries:
        raise ArchiveRefused(f"more than {limits.entries} entries")
    position, stop = start, start + size
    for _ in range(count):
        if position + _CENTRAL.size > stop:
            raise ArchiveRefused("the directory of the ZIP is cut off")
        entry, position = _central(data, position)
        yield entry
    if position != stop:
        raise ArchiveRefused("the directory of the ZIP does not hold what it announces")


def _end_record(data: bytes) -> tuple[int, int, int]:
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - _END.size - 0xFFFF))
    if at < 0 or at + _END.size > len(data):
        raise ArchiveRefused("this is not a ZIP file, or it is cut off")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, at)
    if _ZIP64 in (size, start) or count == 0xFFFF:
        raise ArchiveRefused("ZIP64 is not accepted: a bundle is far smaller")
    if disk or first_disk or here != count:
        raise ArchiveRefused("a ZIP in several parts is not accepted")
    if at + _END.size + comment != len(data) or start + size != at:
        raise ArchiveRefused("there is other data around the ZIP")
    if count == 0:
        raise ArchiveRefused("the ZIP is empty")
    return count, size, start


def _central(data: bytes, position: int) -> tuple[_Entry, int]:
    sign, _, _, flags, method, _, _, crc, packed, size, name, extra, comment, disk, _, mode, offset = (
        _CENTRAL.unpack_from(data, position)
    )
    if sign != b"PK\x01\x02" or disk:
        raise ArchiveRefused("the directory of the ZIP is damaged")
    start = position + _CENTRAL.size
    raw = data[start : start + name]
    text = _name(raw, flags)
    if _ZIP64 in (packed, size, offset):
        raise ArchiveRefused("ZIP64 is not accepted: a bundle is far smaller", text)
    entry = _Entry(raw, text, flags, method, crc, packed, size, mode >> 16, offset)
    return entry, start + name + extra + comment


def _name(raw: bytes, flags: int) -> str:
    try:
        return raw.decode("utf-8" if flags & _UTF8 or not raw.isascii() else "ascii")
    except UnicodeDecodeError:
        raise ArchiveRefused("the name is not UTF-8", raw.decode("latin-1")) from None


def _check_kind(entry: _Entry) -> None:
    kind = S_IFMT(entry.mode)
    if kind == S_IFLNK:
        raise ArchiveRefused("symbolic links are not accepted", entry.name)
    if kind not in (0, S_IFREG, S_IFDIR) or (kind == S_IFDIR) > entry.is_folder:
        raise ArchiveRefused("only ordinary files and folders are accepted", entry.name)
    if entry.flags & _ENCRYPTED_ANY:
        raise ArchiveRefused("encrypted entries are not accepted", entry.name)
    if entry.method not in (_STORED, _DEFLATED):
        raise ArchiveRefused("the compression method is not accepted (stored and deflate are)", entry.name)
    if entry.is_folder and (entry.size or entry.packed > 2):
        raise ArchiveRefused("a folder cannot have content", entry.name)


def _check_layout(data: bytes, entries: list[_Entry]) -> None:
    """Local headers follow each other without gap or overlap from the first byte to the directory."""
    position = 0
    directory = _end_record(data)[2]
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset < position:
            raise ArchiveRefused("entries overlap", entry.name)
        if entry.offset > position:
            raise ArchiveRefused("there is data outside the entries", entry.name)
        position = _record_end(data, entry, directory)
    if position != directory:
        raise ArchiveRefused("there is data outside the entries")


def _record_end(data: bytes, entry: _Entry, directory: int) -> int:
    end = _data_start(data, entry) + entry.packed
    if end > directory:
        raise ArchiveRefused("the entry reaches into the directory of the ZIP", entry.name)
    if not entry.flags & _DESCRIPTOR:
        return end
    plain = struct.pack("<3L", entry.crc, entry.packed, entry.size)
    wide = struct.pack("<L2Q", entry.crc, entry.packed, entry.size)
    for descriptor in (b"PK\x07\x08" + wide, b"PK\x07\x08" + plain, plain):
        if data.startswith(descriptor, end):
            return end + len(descriptor)
    raise ArchiveRefused("the sizes after the data differ from the directory", entry.name)


def _data_start(data: bytes, entry: _Entry) -> int:
    """Where the data begins, once the local header says the same as the directory."""
    if entry.offset + _LOCAL.size > len(data):
        raise ArchiveRefused("the entry is cut off", entry.name)
    fields = _LOCAL.unpack_from(data, entry.offset)
    signature, _, flags, method, _, _, crc, packed, size, name, extra = fields
    start = entry.offset + _LOCAL.size
    if signature != b"PK\x03\x04":
        raise ArchiveRefused("the entry is not where the directory says", entry.name)
    if data[start : start + name] != entry.raw_name:
        raise ArchiveRefused("the entry has another name than in the directory", entry.name)
    end = start + name + extra
    if packed == size == _ZIP64:
        packed, size = _wide_sizes(data[start + name : end])
    # A stream tells afterwards what it does not know yet, or tells 0 for all three.
    later = flags & _DESCRIPTOR
    told, known = (crc, packed, size), (entry.crc, entry.packed, entry.size)
    agrees = told == known or (later and all(one in (0, real) for one, real in zip(told, known, strict=True)))
    if flags != entry.flags or method != entry.method or not agrees:
        raise ArchiveRefused("the header of the entry differs from the directory", entry.name)
    return int(end)


def _wide_sizes(extra: bytes) -> tuple[int, int]:
    """Packed and plain size in 8 bytes each, which some write for small files too; their field comes first."""
    if len(extra) < _WIDE.size:
        return _ZIP64, _ZIP64
    kind, length, size, packed = _WIDE.unpack_from(extra)
    return (packed, size) if (kind, length) == (1, 16) else (_ZIP64, _ZIP64)


def _unpack(data: bytes, entries: list[_Entry], limits: Limits) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    left = limits.total
    for entry in entries:
        if entry.is_folder:
            continue
        start = _data_start(data, entry)
        content = _content(memoryview(data)[start : start + entry.packed], entry, left, limits)
        left -= len(content)
        files[entry.name] = content
    return files


def _content(packed: memoryview, entry: _Entry, left: int, limits: Limits) -> bytes:
    """The unpacked bytes, counted while they come out: what the headers claim is only believed afterwards."""
    content = bytearray()
    for piece in _pieces(packed, entry):
        content += piece
        if len(content) > limits.single:
            raise ArchiveRefused(f"larger than {limits.single} bytes", entry.name)
        if len(content) > left:
            raise ArchiveRefused(f"all files together are larger than {limits.total} bytes", entry.name)
        if len(content) > max(limits.ratio_from, limits.ratio * len(packed)):
            raise ArchiveRefused(f"compressed more than {limits.ratio}:1", entry.name)
        if len(content) > entry.size:
            break
    if len(content) != entry.size:
        raise ArchiveRefused("the data is not as long as the header says", entry.name)
    if zlib.crc32(content) != entry.crc:
        raise ArchiveRefused("the checksum is wrong", entry.name)
    return bytes(content)


def _pieces(packed: memoryview, entry: _Entry) -> Iterator[bytes]:
    if entry.method == _STORED:
        yield bytes(packed)
        return
    inflater, rest = zlib.decompressobj(-15), bytes(packed)
    try:
        while not inflater.eof:
            piece = inflater.decompress(rest, PIECE)
            rest = inflater.unconsumed_tail
            yield piece
            if not piece and not inflater.eof:
                raise ArchiveRefused("the compressed data is cut off", entry.name)
    except zlib.error:
        raise ArchiveRefused("the compressed data is damaged", entry.name) from None
    if inflater.unused_data:
        raise ArchiveRefused("there is data behind the compressed data", entry.name)


def rooted(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files by paths relative to the folder of bundle.yaml, which is the root or one folder deep."""
    root = find_root(files)
    if root:
        check_path(root[:-1])
    outside = next((path for path in files if not path.startswith(root)), None)
    if outside is not None:
        raise ArchiveRefused(f"lies outside the folder '{root}' that holds bundle.yaml", outside)
    return {path.removeprefix(root): data for path, data in files.items()}
