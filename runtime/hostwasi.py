"""A minimal WASI preview 1 for commands: arguments, three streams, our clock, our randomness; no files."""

from collections.abc import Callable
from typing import Literal

from bundles.wasmimports import WASI
from runtime.wasmframe import Frame
from runtime.wasmtypes import Trap

SUCCESS, BADF, FAULT, INVAL, NOSYS, NOTCAPABLE, SPIPE = 0, 8, 21, 28, 52, 76, 70
MAX_VECTORS = 1_024
_LITTLE: Literal["little"] = "little"

TARIFF = 2_000
IO_TARIFF = 5_000


class ProgramExit(Exception):
    """proc_exit: the program is over."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the program ended with exit code {code}")
        self.code = code


def _strings(frame: Frame) -> tuple[bytes, bytes]:
    return b"module\0", frame.argument.encode() + b"\0"


def args_sizes_get(frame: Frame, count: int, size: int) -> int:
    parts = _strings(frame)
    frame.write(count, len(parts).to_bytes(4, _LITTLE))
    frame.write(size, sum(map(len, parts)).to_bytes(4, _LITTLE))
    return SUCCESS


def args_get(frame: Frame, pointers: int, buffer: int) -> int:
    for index, part in enumerate(_strings(frame)):
        frame.write(pointers + 4 * index, buffer.to_bytes(4, _LITTLE))
        frame.write(buffer, part)
        buffer += len(part)
    return SUCCESS


def environ_sizes_get(frame: Frame, count: int, size: int) -> int:
    frame.write(count, bytes(4))
    frame.write(size, bytes(4))
    return SUCCESS


def environ_get(frame: Frame, pointers: int, buffer: int) -> int:
    return SUCCESS


def clock_res_get(frame: Frame, clock: int, place: int) -> int:
    if clock > 3:
        return INVAL
    frame.write(place, (1_000_000).to_bytes(8, _LITTLE))
    return SUCCESS


def clock_time_get(frame: Frame, clock: int, precision: int, place: int) -> int:
    # One reading for the whole run: repeatable, and no timer for measuring neighbours.
    if clock > 3:
        return INVAL
    frame.write(place, (frame.call.now_ms * 1_000_000).to_bytes(8, _LITTLE))
    return SUCCESS


def random_get(frame: Frame, place: int, size: int) -> int:
    if size > 65_536:
        return INVAL
    frame.write(place, frame.call.draw(size))
    return SUCCESS


def _vectors(frame: Frame, place: int, count: int) -> list[tuple[int, int]]:
    if count > MAX_VECTORS:
        raise Trap("bad_pointer", f"{count} buffers in one call; the limit is {MAX_VECTORS}")
    if count > 1:
        frame.deduct(IO_TARIFF * (count - 1))
    raw = frame.read(place, 8 * count)
    numbers = [int.from_bytes(raw[i : i + 4], _LITTLE) for i in range(0, len(raw), 4)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def fd_write(frame: Frame, fd: int, vectors: int, count: int, written: int) -> int:
    if fd not in (1, 2):
        return BADF
    parts = _vectors(frame, vectors, count)
    for place, size in parts:
        frame.check(place, size)
    if len(frame.stdout) + sum(size for _, size in parts) > frame.limits.output_bytes:
        raise Trap("bad_result", f"the program wrote more than {frame.limits.output_bytes} bytes")
    data = b"".join(frame.read(place, size) for place, size in parts)
    if fd == 1:
        frame.stdout += data
    elif line := data.decode("utf-8", "replace").rstrip():
        frame.call.log("info", line)
    frame.write(written, len(data).to_bytes(4, _LITTLE))
    return SUCCESS


def fd_read(frame: Frame, fd: int, vectors: int, count: int, filled: int) -> int:
    if fd != 0:
        return BADF
    total = 0
    for place, size in _vectors(frame, vectors, count):
        part = frame.stdin[frame.stdin_place : frame.stdin_place + size]
        frame.write(place, part)
        frame.stdin_place += len(part)
        total += len(part)
    frame.write(filled, total.to_bytes(4, _LITTLE))
    return SUCCESS


def fd_fdstat_get(frame: Frame, fd: int, place: int) -> int:
    if fd > 2:
        return BADF
    # filetype 2 = character device; no rights beyond reading stdin and writing the others
    rights = (2 if fd == 0 else 64).to_bytes(8, _LITTLE)
    frame.write(place, bytes((2, 0, 0, 0, 0, 0, 0, 0)) + rights + bytes(8))
    return SUCCESS


def fd_filestat_get(frame: Frame, fd: int, place: int) -> int:
    if fd > 2:
        return BADF
    frame.write(place, bytes(16) + b"\x02" + bytes(47))
    return SUCCESS


def fd_close(frame: Frame, fd: int) -> int:
    return SUCCESS if fd <= 2 else BADF


def fd_seek(frame: Frame, fd: int, offset: int, whence: int, place: int) -> int:
    return SPIPE if fd <= 2 else BADF


def fd_fdstat_set_flags(frame: Frame, fd: int, flags: int) -> int:
    return SUCCESS if fd <= 2 else BADF


def sched_yield(frame: Frame) -> int:
    return SUCCESS


def proc_exit(frame: Frame, code: int) -> None:
    raise ProgramExit(code)


def _refusal(name: str) -> Callable[..., int]:
    code = BADF if name.startswith("fd_") else NOTCAPABLE if name.startswith("path_") else NOSYS
    return lambda frame, *args: code


_OWN: dict[str, Callable[..., int | None]] = {
    f.__name__: f
    for f in (
        *(args_get, args_sizes_get, environ_get, environ_sizes_get, clock_res_get, clock_time_get),
        *(fd_write, fd_read, fd_fdstat_get, fd_filestat_get, fd_close, fd_seek, fd_fdstat_set_flags),
        *(random_get, sched_yield, proc_exit),
    )
}
# Every name of preview 1 links, so that ordinary programs load; what we do not offer answers an error code.
FUNCTIONS: dict[str, Callable[..., int | None]] = {name: _OWN.get(name) or _refusal(name) for name in WASI}
