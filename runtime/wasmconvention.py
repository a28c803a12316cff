"""How a request reaches a function and its answer comes back, per convention.

Each convention is a generator: it yields guest calls and is sent their results, so that one text serves
direct calls, fibers and the public classes.
"""

import json
import math
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple

from bundles.wasmcallable import convention, resolve
from bundles.wasmfile import Signature, WasmInfo
from runtime.hostwasi import ProgramExit
from runtime.wasmframe import MASK32, Frame
from runtime.wasmtypes import Trap


class Target(NamedTuple):
    """One export to call, with its types."""

    name: str
    encoded: bytes
    params: tuple[str, ...]
    results: tuple[str, ...]


Number = int | float
Steps = Generator[tuple[Target, tuple[Number, ...]], Any, bytes]


class Entry(NamedTuple):
    """What a function name of a bundle resolved to."""

    function: str
    kind: str
    target: Target
    steps: Callable[[Frame, "Entry", bytes], Steps]


def _target(name: str, signature: Signature) -> Target:
    return Target(name, name.encode(), signature.params, signature.results)


ALLOC = _target("alloc", Signature(("i32",), ("i32",)))
NEW = _target("__new", Signature(("i32", "i32"), ("i32",)))
PIN = _target("__pin", Signature(("i32",), ("i32",)))
START = _target("_start", Signature((), ()))
INITIALIZE = _target("_initialize", Signature((), ()))
_STRING_CLASS = 2
_BUFFER_CLASS = 1


def entry(info: WasmInfo, function: str) -> Entry:
    """Resolve a function name; raises Trap missing_export when nothing callable answers to it."""
    name = resolve(info.exports, function)
    if name is None:
        known = ", ".join(info.functions[:10]) or "none"
        raise Trap("missing_export", f"the module exports no callable function '{function}'; it has: {known}")
    signature = info.exports[name]
    kind = convention(info.exports, name) or "wasi"
    assert isinstance(signature, Signature)
    return Entry(function, kind, _target(name, signature), _CONVENTIONS[kind])


class Giver(NamedTuple):
    """How host results find room in a guest: an allocator, its arguments after the size, a pin."""

    target: Target
    more: tuple[int, ...]
    pin: Target | None


def giver(exports: Mapping[str, Signature | str]) -> Giver | None:
    """`alloc` where it is exported; else AssemblyScript's `__new` of an ArrayBuffer, pinned for the run."""
    if exports.get("memory") != "memory":
        return None
    if exports.get("alloc") == Signature(ALLOC.params, ALLOC.results):
        return Giver(ALLOC, (), None)
    if exports.get("__new") == Signature(NEW.params, NEW.results):
        pins = exports.get("__pin") == Signature(PIN.params, PIN.results)
        return Giver(NEW, (_BUFFER_CLASS,), PIN if pins else None)
    return None


def _plain64(frame: Frame, entry: Entry, request: bytes) -> Steps:
    size = len(request)
    place = yield ALLOC, (size,)
    frame.put(place, request)
    packed = yield entry.target, (place, size)
    return frame.take(packed >> 32, packed & MASK32)


def _plain32(frame: Frame, entry: Entry, request: bytes) -> Steps:
    size = len(request)
    place = yield ALLOC, (size,)
    frame.put(place, request)
    result = yield entry.target, (place, size)
    length = int.from_bytes(frame.take(result, 4), "little")
    return frame.take(result + 4, length)


def _strings(frame: Frame, entry: Entry, request: bytes) -> Steps:
    encoded = request.decode("utf-8", "replace").encode("utf-16-le")
    place = yield NEW, (len(encoded), _STRING_CLASS)
    frame.put(place, encoded)
    yield PIN, (place,)
    result = yield entry.target, (place,)
    if result < 4:
        return b"null"
    size = int.from_bytes(frame.take(result - 4, 4), "little")
    return _limited(frame, _utf8(frame.take(result, size & ~1, 2 * frame.limits.output_bytes)))


def _utf8(encoded: bytes) -> bytes:
    # A lone surrogate has no UTF-8 form; JavaScript's encoders put U+FFFD, so do we.
    return encoded.decode("utf-16-le", "replace").encode("utf-8", "replace")


def _limited(frame: Frame, body: bytes) -> bytes:
    limit = frame.limits.output_bytes
    if len(body) > limit:
        raise Trap("bad_result", f"the result is {len(body)} bytes; the limit is {limit}")
    return body


def _numeric(frame: Frame, entry: Entry, request: bytes) -> Steps:
    result = yield entry.target, _arguments(entry.target, request)
    if result is None:
        return b"null"
    if isinstance(result, float) and not math.isfinite(result):
        raise Trap("bad_result", f"{entry.target.name} returned {result}, which JSON cannot carry")
    kind = entry.target.results[0]
    if kind in _BITS and result >> (_BITS[kind] - 1):
        result -= 1 << _BITS[kind]
    return json.dumps(result).encode()


_BITS = {"i32": 32, "i64": 64}


def _arguments(target: Target, request: bytes) -> tuple[Number, ...]:
    try:
        values = json.loads(request or b"[]")
    except (ValueError, RecursionError):
        raise Trap("bad_arguments", "the request is not JSON")
    if isinstance(values, dict):
        values = values.get("body")
    if values is None:
        values = []
    if not isinstance(values, list) or len(values) != len(target.params):
        shown = ", ".join(target.params)
        raise Trap("bad_arguments", f"{target.name} takes a JSON array of {len(target.params)}: [{shown}]")
    return tuple(_argument(target, kind, value) for kind, value in zip(target.params, values, strict=True))


def _argument(target: Target, kind: str, value: object) -> Number:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if kind in _BITS and value == value and abs(value) < 1 << 65 and value == int(value):
            number, bits = int(value), _BITS[kind]
            if -(1 << (bits - 1)) <= number < 1 << bits:
                return number & ((1 << bits) - 1)
        elif kind not in _BITS and abs(value) < 1 << 1023:
            return float(value)
    raise Trap("bad_arguments", f"{target.name}: {str(value)[:40]} is not an {kind}")


def _command(frame: Frame, entry: Entry, request: bytes) -> Steps:
    try:
        yield START, ()
    except ProgramExit as exit:
        if exit.code:
            raise
    return bytes(frame.stdout) or b"null"


_CONVENTIONS: dict[str, Callable[[Frame, Entry, bytes], Steps]] = {
    "plain-i64": _plain64,
    "plain-i32": _plain32,
    "assemblyscript": _strings,
    "numeric": _numeric,
    "wasi": _command,
}
