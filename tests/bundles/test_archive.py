"""ZIP uploads: what is read, and everything that is refused whole (ATTACKS A027, A030–A037)."""

import io
import os
import struct
import zipfile
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundles.archive import ArchiveRefused, Limits, check_files, read_zip, write_zip

HEAD = ("bundle.yaml", b"name: shop\n")
SMALL = Limits(entries=5, total=1000, single=500, packed=5000, ratio_from=100)


def packed(entries: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in entries:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name  # past the constructor, which would clean the name
            info.compress_type = method
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def with_mode(name: str, data: bytes, mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(*HEAD)
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, data)
    return buffer.getvalue()


def patched(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """`data` with bytes replaced at `offset` of the last record that begins with `signature`."""
    at = data.rindex(signature) + offset
    return data[:at] + value + data[at + len(value) :]


def central(data: bytes, offset: int, value: bytes) -> bytes:
    return patched(data, b"PK\x01\x02", offset, value)


def local(data: bytes, offset: int, value: bytes) -> bytes:
    return patched(data, b"PK\x03\x04", offset, value)


def end(data: bytes, offset: int, value: bytes) -> bytes:
    return patched(data, b"PK\x05\x06", offset, value)


ONE = packed([HEAD, ("a.txt", b"hello")], zipfile.ZIP_STORED)


def test_a_flat_zip_is_read() -> None:
    assert read_zip(packed([HEAD, ("wasm/a.wasm", b"\0asm")])) == {HEAD[0]: HEAD[1], "wasm/a.wasm": b"\0asm"}


def test_a_zip_of_one_folder_is_read_relative_to_it() -> None:
    data = packed([("shop/", b""), ("shop/bundle.yaml", b"name: shop\n"), ("shop/flows/a.yaml", b"x")])
    assert set(read_zip(data)) == {"bundle.yaml", "flows/a.yaml"}


def test_a_stream_is_read_too() -> None:
    assert "a.txt" in read_zip(io.BytesIO(ONE))


def test_what_desktops_add_is_ignored() -> None:
    litter = [("__MACOSX/._bundle.yaml", b"x"), (".DS_Store", b"x"), ("flows/.DS_Store", b"x")]
    assert set(read_zip(packed([HEAD, *litter]))) == {"bundle.yaml"}
    inside = [("shop/bundle.yaml", b""), ("shop/.DS_Store", b"x"), ("__MACOSX/shop/._bundle.yaml", b"x")]
    assert set(read_zip(packed(inside))) == {"bundle.yaml"}


def test_hidden_files_of_the_bundle_are_kept() -> None:
    assert ".gitignore" in read_zip(packed([HEAD, (".gitignore", b"x")]))


def test_a_stream_that_tells_the_plain_size_before_the_rest_is_read() -> None:
    # As `zip -r - shop | …` writes it: flag 8, no checksum, no packed size, the plain one.
    text = b"name: shop\n" * 30
    whole = packed([("bundle.yaml", text)])
    at = whole.index(b"PK\x01\x02")
    fields = whole[14:26]
    early = (
        whole[:6] + b"\x08\0" + whole[8:14] + bytes(8) + fields[8:] + whole[26:at] + b"PK\x07\x08" + fields
    )
    later = bytearray(whole[at:])
    later[8:10] = b"\x08\0"
    later[-6:-2] = struct.pack("<L", len(early))
    data = early + bytes(later)
    assert read_zip(data) == {"bundle.yaml": text}
    for offset, lie in ((18, 7), (22, 7), (14, 7)):  # packed size, plain size, checksum
        with pytest.raises(ArchiveRefused, match="differs from the directory"):
            read_zip(data[:offset] + struct.pack("<L", lie) + data[offset + 4 :])


def test_sizes_in_eight_bytes_are_read_where_they_agree() -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bundle.yaml", "w", force_zip64=True) as file,
    ):
        file.write(b"name: shop\n")
    data = buffer.getvalue()
    assert read_zip(data) == {"bundle.yaml": b"name: shop\n"}
    at = 30 + len("bundle.yaml") + 4
    with pytest.raises(ArchiveRefused, match="differs from the directory"):
        read_zip(data[:at] + b"\x0c" + data[at + 1 :])


def test_a_zip_written_as_a_stream_is_read() -> None:
    class Pipe(io.RawIOBase):
        data = b""

        def writable(self) -> bool:
            return True

        def write(self, part: bytes) -> int:
            self.data += bytes(part)
            return len(part)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(*HEAD)
        archive.writestr("a.txt", b"hello" * 100)
    assert read_zip(pipe.data)["a.txt"] == b"hello" * 100


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt", "/abs.txt", "C:\\evil.txt", "C:/evil.txt", "..\\win.txt", "a/../../evil2.txt",
        "a/../b.txt",
        "./a.txt", "a//b.txt", "a/./b.txt", "a\\b.txt", "//host/share", "..", "a/..", "~:stream",
        "line\nbreak.txt", "esc\x1b[31m.txt", "rtl\u202egnp.exe", "zero\u200bwidth.txt",
        "a" * 300, "a/" * 13 + "b",
        "con", "NUL.txt", "wasm/aux.yaml", "COM1", "lpt9.log", "trailing.", "trailing ", " leading",
        "nfd-e\u0301.txt",
        ".git/config", "a/.GIT/hooks/x", "GIT~1/config", ".g\u200cit/config", "\ufeffbom.txt", "é" * 130,
    ],
)  # fmt: skip
def test_a_bad_name_refuses_the_whole_upload(name: str) -> None:
    with pytest.raises(ArchiveRefused) as refused:
        read_zip(packed([HEAD, (name, b"x")]))
    assert refused.value.reason
    assert refused.value.entry.isprintable()
    with pytest.raises(ArchiveRefused):
        check_files({"bundle.yaml": b"", name: b"x"})


def test_a_nul_in_a_name_is_refused() -> None:
    data = ONE.replace(b"a.txt", b"a\0txt")
    with pytest.raises(ArchiveRefused, match="control"):
        read_zip(data)


def test_a_name_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ArchiveRefused, match="UTF-8"):
        read_zip(ONE.replace(b"a.txt", b"\xff.txt"))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["Case.txt", "case.txt"], "case"), (["Dir/a", "dir/b"], "case"), (["straße", "STRASSE"], "case"),
        (["a", "a/b"], "both"), (["a/b", "a"], "both"), (["a/", "a"], "both"),
        (["dup.txt", "dup.txt"], "twice"),
        (["bundle.yaml"], "twice"), (["Bundle.yaml"], "case"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_collide_are_refused(names: list[str], reason: str) -> None:
    with pytest.raises(ArchiveRefused, match=reason):
        read_zip(packed([HEAD, *((name, b"") for name in names)]))


@pytest.mark.parametrize("mode", [0o120777, 0o010644, 0o020644, 0o060644, 0o140644, 0o040755])
def test_links_and_special_files_are_refused(mode: int) -> None:
    with pytest.raises(ArchiveRefused) as refused:
        read_zip(with_mode("wasm/catalog.wasm", b"/etc/passwd", mode))
    assert refused.value.entry == "wasm/catalog.wasm"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([("a.txt", b"x")], "no bundle.yaml"),
        ([("a/b/bundle.yaml", b"x")], "there is a/b/bundle.yaml"),
        ([("a/bundle.yml", b"x")], "one folder deep; there is a/bundle.yml"),
        ([HEAD, ("shop/bundle.yaml", b"x")], "more than one bundle.yaml: bundle.yaml, shop/bundle.yaml"),
        ([("a/bundle.yaml", b"x"), ("b/bundle.yaml", b"x")], "more than one bundle.yaml: a/"),
        ([("shop/bundle.yaml", b"x"), ("notes.txt", b"x")], "outside the folder 'shop/'"),
        ([("../bundle.yaml", b"x")], "'..'"),
        ([("__MACOSX/bundle.yaml", b"x")], "no bundle.yaml"),
    ],
)
def test_the_root_of_the_bundle_is_exactly_one(files: list[tuple[str, bytes]], reason: str) -> None:
    with pytest.raises(ArchiveRefused, match=reason):
        read_zip(packed(files))


@pytest.mark.parametrize(
    "data",
    [b"", b"PK", b"%PDF-1.7 not a zip", b"\0" * 5000, packed([]), ONE[:-1], ONE[:-30], ONE[: len(ONE) // 2]],
    ids=["empty", "two bytes", "pdf", "zeros", "no entries", "cut by one", "cut in the directory", "half"],
)
def test_what_is_not_a_whole_zip_is_refused(data: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        read_zip(data)


HOSTILE = {
    "polyglot in front": b"%PDF-1.7\n" + ONE,
    "data behind": ONE + b"tail",
    "hidden comment": ONE[:-2] + b"\x03\x00abcd",
    "size too small": central(ONE, 24, struct.pack("<L", 1)),
    "both sizes too small": local(central(ONE, 20, struct.pack("<LL", 5, 1)), 18, struct.pack("<LL", 5, 1)),
    "size too large": local(central(ONE, 20, struct.pack("<LL", 5, 9)), 18, struct.pack("<LL", 5, 9)),
    "wrong checksum": local(central(ONE, 16, b"\0\0\0\0"), 14, b"\0\0\0\0"),
    "local checksum": local(ONE, 14, b"\0\0\0\0"),
    "other name in the data": ONE.replace(b"a.txt", b"b.txt", 1),
    "encrypted": local(central(ONE, 8, b"\x01\0"), 6, b"\x01\0"),
    "encrypted in the data only": local(ONE, 6, b"\x01\0"),
    "unknown method": local(central(ONE, 10, b"\x63\0"), 8, b"\x63\0"),
    "method differs": local(ONE, 8, b"\x08\0"),
    "stored but called deflated": local(central(ONE, 10, b"\x08\0"), 8, b"\x08\0"),
    "overlap": central(ONE, 42, struct.pack("<L", 0)),
    "offset outside": central(ONE, 42, struct.pack("<L", 0x7FFFFFFF)),
    "zip64 sizes": central(ONE, 20, b"\xff" * 8),
    "zip64 offset": central(ONE, 42, b"\xff" * 4),
    "zip64 directory": end(ONE, 16, b"\xff" * 4),
    "zip64 count": end(ONE, 8, b"\xff" * 4),
    "count too small": end(ONE, 8, b"\x01\0\x01\0"),
    "count too large": end(ONE, 8, b"\x03\0\x03\0"),
    "second disk": end(ONE, 4, b"\x01\0"),
    "directory elsewhere": end(ONE, 16, struct.pack("<L", 3)),
    "directory damaged": central(ONE, 0, b"XXXX"),
    "name longer than the directory": central(ONE, 28, b"\xff\xff"),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_headers_that_lie_are_refused(data: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        read_zip(data)


def test_an_entry_inside_the_data_of_another_is_refused() -> None:
    """The overlap that makes quadratic bombs: one run of bytes is the content of many entries."""
    inner = ONE[ONE.rindex(b"PK\x03\x04") : ONE.index(b"PK\x01\x02")]
    outer = packed([HEAD, ("outer", inner)], zipfile.ZIP_STORED)
    directory = ONE[ONE.rindex(b"PK\x01\x02") : ONE.rindex(b"PK\x05\x06")]
    pointing = directory[:42] + struct.pack("<L", outer.rindex(inner)) + directory[46:]
    at = outer.rindex(b"PK\x05\x06")
    size = struct.unpack_from("<L", outer, at + 12)[0] + len(pointing)
    data = outer[:at] + pointing + outer[at:]
    data = end(end(data, 8, b"\x03\0\x03\0"), 12, struct.pack("<L", size))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("a.txt") == b"hello"  # the standard library notices nothing
    with pytest.raises(ArchiveRefused, match="overlap"):
        read_zip(data)


def test_data_hidden_between_entries_is_refused() -> None:
    at = ONE.rindex(b"PK\x03\x04")
    data = ONE[:at] + b"hidden" + ONE[at:]
    data = central(data, 42, struct.pack("<L", at + 6))
    data = end(data, 16, struct.pack("<L", ONE.index(b"PK\x01\x02") + 6))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read("a.txt") == b"hello"
    with pytest.raises(ArchiveRefused, match="outside the entries"):
        read_zip(data)


def test_cut_or_padded_deflate_data_is_refused() -> None:
    whole = packed([("bundle.yaml", os.urandom(300))])
    size = struct.unpack_from("<L", whole, whole.rindex(b"PK\x01\x02") + 20)[0]
    start = 30 + len("bundle.yaml")
    for broken in (whole[: start + size - 1], whole[: start + size] + b"x"):
        data = broken + whole[start + size :]
        change = len(broken) - start - size
        data = local(
            central(data, 20, struct.pack("<L", size + change)), 18, struct.pack("<L", size + change)
        )
        data = end(data, 16, struct.pack("<L", start + size + change))
        with pytest.raises(ArchiveRefused, match=r"compressed data|behind"):
            read_zip(data)


def test_a_bomb_is_stopped_while_it_is_read() -> None:
    bomb = packed([HEAD, ("zeros", bytes(19_000_000))])
    assert len(bomb) < 50_000
    with pytest.raises(ArchiveRefused, match="200:1") as refused:
        read_zip(bomb)
    assert refused.value.entry == "zeros"


def test_a_bomb_that_claims_to_be_small_is_stopped() -> None:
    bomb = packed([HEAD, ("zeros", bytes(19_000_000))])
    claim = struct.pack("<L", 10)
    with pytest.raises(ArchiveRefused):
        read_zip(local(central(bomb, 24, claim), 22, claim))


def test_a_small_file_may_compress_well() -> None:
    assert len(read_zip(packed([HEAD, ("spaces.txt", b" " * 60_000)]))["spaces.txt"]) == 60_000


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([(f"{number}.txt", b"") for number in range(6)], "more than 5 entries"),
        ([("big", os.urandom(501))], "larger than 500"),
        ([(str(number), os.urandom(400)) for number in range(3)], "together"),
        ([("packed", os.urandom(6000))], "upload is larger"),
        ([("zeros", bytes(400))], "1:1"),
    ],
)
def test_limits_are_enforced(entries: list[tuple[str, bytes]], reason: str) -> None:
    limits = Limits(entries=5, total=1000, single=500, packed=5000, ratio=1, ratio_from=300)
    with pytest.raises(ArchiveRefused, match=reason):
        read_zip(packed([*entries, HEAD]), limits)


def test_a_stream_is_not_read_beyond_the_limit() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"x" * size

    endless = Endless()
    with pytest.raises(ArchiveRefused, match="upload is larger"):
        read_zip(endless, SMALL)
    assert endless.given == SMALL.packed + 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({str(number): b"" for number in range(6)}, "more than 5 files"),
        ({"big": bytes(501)}, "larger than 500"),
        ({str(number): bytes(400) for number in range(3)}, "together"),
        ({"folder/": b""}, "ends with"),
        ({"": b""}, "empty"),
    ],
)
def test_any_set_of_files_obeys_the_same_limits(files: dict[str, bytes], reason: str) -> None:
    with pytest.raises(ArchiveRefused, match=reason):
        check_files(files, SMALL)


def test_an_export_is_the_same_bytes_every_time_and_imports_to_the_same_files() -> None:
    files = {
        "bundle.yaml": b"name: shop\n",
        "wasm/ü.wasm": os.urandom(70_000),
        "zeros.bin": bytes(5_000_000),
        "e": b"",
    }
    first = write_zip(files)
    assert first == write_zip(dict(reversed(files.items())))
    assert read_zip(first) == files
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(files)


def test_an_export_obeys_the_rules_of_imports() -> None:
    with pytest.raises(ArchiveRefused):
        write_zip({"../evil": b""})


@given(st.dictionaries(st.text("abcé/._- ", min_size=1, max_size=12), st.binary(max_size=50), max_size=6))
def test_every_set_of_files_is_refused_or_survives_the_round_trip(files: dict[str, bytes]) -> None:
    files["bundle.yaml"] = b""
    try:
        data = write_zip(files)
        roots = [path for path in files if path.count("/") == 1 and path.endswith("/bundle.yaml")]
    except ArchiveRefused:
        return
    assert roots or read_zip(data) == files


@given(st.binary(max_size=300), st.integers(0, len(ONE)), st.integers(0, 20))
def test_any_bytes_are_read_or_refused(noise: bytes, at: int, cut: int) -> None:
    for data in (noise, ONE[:at] + noise + ONE[at + cut :], ONE[:at] + ONE[at + cut :]):
        try:
            read_zip(data)
        except ArchiveRefused:
            continue
