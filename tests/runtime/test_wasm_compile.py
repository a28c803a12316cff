"""Compiling happens in a limited child; only files that we wrote are ever loaded (A059, A067)."""

import hashlib
import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bundles.wasmfile import inspect
from runtime.compile import CodeCache, CompileError
from runtime.wasm import Guest, Trap
from tests.runtime.sandbox import both, context, engine
from tests.runtime.wat import ECHO, guest, wasm

DATA = guest(ECHO)
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def cache(tmp_path: Path) -> CodeCache:
    return CodeCache(tmp_path / "cache")


def files(cache: CodeCache) -> list[str]:
    return sorted(path.name for path in cache.directory.iterdir())


@both
def test_a_compiled_module_runs(cache: CodeCache, raw: bool) -> None:
    loaded = Guest.load(engine(raw), cache.compiled(DATA), inspect(DATA))
    assert loaded.call("echo", b"x", context()).body == b"x"


def test_the_files_are_ours_alone(cache: CodeCache) -> None:
    path = cache.compiled(DATA)
    assert path == cache.path(SHA)
    assert files(cache) == [f"{SHA}.cwasm", f"{SHA}.mac"]
    assert {oct(p.stat().st_mode & 0o777) for p in cache.directory.iterdir()} == {"0o600"}
    assert {oct(p.stat().st_mode & 0o777) for p in (cache.root, cache.directory)} == {"0o700"}
    assert oct((cache.root / "key").stat().st_mode & 0o777) == "0o600"


def test_a_second_time_nothing_is_compiled(cache: CodeCache) -> None:
    before = cache.compiled(DATA).stat().st_ino
    assert CodeCache(cache.root).compiled(DATA).stat().st_ino == before


@pytest.mark.parametrize("harm", ["flip", "replace", "unsigned", "foreign key"])
def test_a_file_that_is_not_ours_is_never_loaded(cache: CodeCache, harm: str) -> None:
    path = cache.compiled(DATA)
    good = path.read_bytes()
    if harm == "flip":
        path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    elif harm == "replace":
        path.write_bytes(cache.compiled(guest()).read_bytes())
    elif harm == "unsigned":
        path.with_suffix(".mac").unlink()
    else:
        cache = CodeCache(cache.root, key=b"another installation")
    assert cache.find(SHA) is None
    assert cache.compiled(DATA).read_bytes() == good
    assert cache.find(SHA) == path


def test_a_file_for_another_machine_is_dropped_and_made_again(cache: CodeCache) -> None:
    path = cache.compiled(DATA)
    path.write_bytes(b"\x7fELF of something else")
    with pytest.raises(Trap, match="did not fit"):
        Guest.load(engine(True), path, inspect(DATA))
    assert (
        Guest.load(engine(True), cache.compiled(DATA), inspect(DATA)).call("echo", b"1", context()).body
        == b"1"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (DATA[:-3], "unexpected end"),
        (b"", "WebAssembly"),
        (wasm('(module (func (export "f") (result i32) (i32.const 1)))')[:-4] + b"\2\0\x42\x0b", "offset"),
    ],
)
def test_an_invalid_module_has_a_reason_and_leaves_nothing(
    cache: CodeCache, data: bytes, reason: str
) -> None:
    with pytest.raises(CompileError) as caught:
        cache.compiled(data)
    assert reason in str(caught.value)
    assert str(cache.root) not in str(caught.value)
    assert "/" not in str(caught.value).replace("://", "")
    assert files(cache) == []


def bomb(size: int) -> bytes:
    body = "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.clz (local.get 0))))" * size
    return wasm(f'(module (func (export "f") (param i32) (result i32) {body} (local.get 0)))')


def test_a_compile_bomb_is_stopped_by_the_clock_with_its_whole_group(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path, timeout_s=0.5)
    began = time.monotonic()
    with pytest.raises(CompileError, match=r"longer than 0\.5 seconds"):
        cache.compiled(bomb(60_000))
    assert time.monotonic() - began < 3
    assert files(cache) == []
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in listing


def test_a_compile_bomb_is_stopped_by_its_processor_time(tmp_path: Path) -> None:
    with pytest.raises(CompileError, match="1 seconds of processor time"):
        CodeCache(tmp_path, cpu_s=1).compiled(bomb(300_000))


def test_deep_nesting_is_an_answer_and_not_a_crash(cache: CodeCache) -> None:
    depth = 40_000
    body = b"\0" + b"\x02\x40" * depth + b"\x0b" * depth + b"\x0b"
    code = bytes([1]) + _leb(len(body)) + body
    data = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\x0a" + _leb(len(code)) + code
    inspect(data)
    with suppress(CompileError):
        cache.compiled(data)
    assert cache.compiled(DATA).is_file()


def _leb(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


@pytest.mark.parametrize(
    "text",
    [
        "(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))",
        "(module (func (param (ref null extern)) (drop (ref.cast (ref extern) (local.get 0)))))",
        "(module (func (drop (f32x4.relaxed_madd (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)))))",
        "(module (func (try_table (catch_all 0))))",
    ],
    ids=["threads", "gc", "relaxed simd", "exceptions"],
)
def test_unfinished_and_nondeterministic_proposals_are_refused(cache: CodeCache, text: str) -> None:
    with pytest.raises(CompileError):
        cache.compiled(wasm(text))
    assert files(cache) == []


def test_vectors_are_welcome(cache: CodeCache) -> None:
    data = wasm(
        '(module (func (export "lane") (result i32) (i32x4.extract_lane 2 (v128.const i32x4 1 2 3 4))))'
    )
    assert (
        Guest.load(engine(True), cache.compiled(data), inspect(data)).call("lane", b"", context()).body
        == b"3"
    )


def test_the_child_inherits_no_secret(cache: CodeCache, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, object] = {}
    real = subprocess.Popen

    def spy(*args: object, **kwargs: object) -> object:
        seen.update(kwargs)
        return real(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setenv("SECRET_KEY", "s3cret")
    monkeypatch.setattr(subprocess, "Popen", spy)
    cache.compiled(DATA)
    assert "s3cret" not in str(seen["env"])
    assert "SECRET_KEY" in os.environ


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "/"])
def test_only_hashes_name_files(cache: CodeCache, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        cache.path(name)
