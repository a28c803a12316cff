"""The `priostack` and `env` functions as plain Python: what a guest may do, whichever way it was called."""

import json
import math
from collections.abc import Callable
from typing import NoReturn, Protocol

from bundles.wasmimports import CONSOLE
from runtime.host import MAX_KEY, MAX_VALUE, HostCall, HostFailure, Missing, Nested, Outcome
from runtime.wasmtypes import Trap

LEVELS = ("debug", "info", "warning", "error")
MAX_PAYLOAD = 1024 * 1024
MAX_NAME = 200

# Fuel deducted for each host call, because it costs us 3-25 microseconds and the guest almost nothing.
TARIFF = {
    "log": 10_000,
    "signal": 5_000,
    "fire": 20_000,
    "kv_get": 10_000,
    "kv_set": 15_000,
    "kv_delete": 10_000,
    "kv_list": 30_000,
    "secret": 5_000,
    "now_ms": 1_000,
    "random": 2_000,
    "http": 100_000,
    "call": 100_000,
    "abort": 0,
    "trace": 10_000,
    "seed": 2_000,
    "Date.now": 1_000,
    "performance.now": 1_000,
} | {f"console.{name}": 10_000 for name in CONSOLE}


class Unknown(Exception):
    """The answer is not known yet; whoever runs the guest decides between restart and waiting."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(missing.kind)
        self.missing = missing


class Frame(Protocol):
    """The part of a running call that host functions see."""

    call: HostCall

    def check(self, place: int, size: int) -> None:
        """Traps when the range is not inside guest memory."""
        ...

    def read(self, place: int, size: int) -> bytes:
        """Copy guest memory, checked."""
        ...


def text(frame: Frame, place: int, size: int, limit: int = MAX_KEY) -> str | None:
    """UTF-8 text of the guest, or None when it is too long or not UTF-8."""
    found = data(frame, place, size, limit)
    try:
        return None if found is None else found.decode("utf-8")
    except UnicodeDecodeError:
        return None


def data(frame: Frame, place: int, size: int, limit: int) -> bytes | None:
    """Bytes of the guest, or None when there are too many; traps when they are not inside memory."""
    frame.check(place, size)
    return None if size > limit else frame.read(place, size)


def log(frame: Frame, level: int, place: int, size: int) -> None:
    frame.check(place, size)
    line = frame.read(place, min(size, 65_537)).decode("utf-8", "replace")
    frame.call.log(LEVELS[level] if level < len(LEVELS) else "info", line)


def signal(frame: Frame, place: int, size: int, value: float) -> int:
    name = text(frame, place, size, MAX_NAME)
    if not name or not math.isfinite(value):
        return -1
    frame.call.signals.append((name, value))
    return 0


def fire(frame: Frame, name: int, name_size: int, place: int, size: int) -> int:
    sensor = text(frame, name, name_size, MAX_NAME)
    payload = data(frame, place, size, MAX_VALUE)
    if not sensor or payload is None:
        return -1
    _refuse_readonly(frame, "fire a sensor")
    frame.call.fires.append((sensor, payload))
    return 0


def kv_get(frame: Frame, place: int, size: int) -> bytes | int | None:
    key = text(frame, place, size)
    if not key:
        return -1
    call = frame.call
    if key in call.writes:
        return call.writes[key]
    if key not in call.reads:
        raise Unknown(Missing("kv", key))
    return call.reads[key]


def kv_set(frame: Frame, place: int, size: int, value: int, value_size: int) -> int:
    key = text(frame, place, size)
    content = data(frame, value, value_size, MAX_VALUE)
    if not key or content is None:
        return -1
    _refuse_readonly(frame, "store a value")
    return frame.call.write(key, content)


def kv_delete(frame: Frame, place: int, size: int) -> int:
    key = text(frame, place, size)
    if not key:
        return -1
    _refuse_readonly(frame, "delete a value")
    return frame.call.write(key, None)


def kv_list(frame: Frame, place: int, size: int) -> bytes | int:
    prefix = text(frame, place, size)
    if prefix is None:
        return -1
    keys = frame.call.listed(prefix)
    if keys is None:
        raise Unknown(Missing("list", prefix))
    return json.dumps(list(keys), ensure_ascii=False, separators=(",", ":")).encode()


def secret(frame: Frame, place: int, size: int) -> bytes | int | None:
    name = text(frame, place, size, MAX_NAME)
    if not name:
        return -1
    value = frame.call.secrets.get(name)
    return None if value is None else value.encode()


def now_ms(frame: Frame) -> int:
    return frame.call.now_ms


def random(frame: Frame) -> int:
    return int.from_bytes(frame.call.draw(), "little", signed=True)


def http(frame: Frame, place: int, size: int) -> bytes | int | None:
    request = data(frame, place, size, MAX_PAYLOAD)
    return -1 if request is None else _outside(frame, "http", "", request)


def call(frame: Frame, name: int, name_size: int, place: int, size: int) -> bytes | int | None:
    target = text(frame, name, name_size)
    payload = data(frame, place, size, MAX_PAYLOAD)
    if not target or payload is None:
        return -1
    return _outside(frame, "call", target, payload)


def _outside(frame: Frame, kind: str, name: str, payload: bytes) -> bytes | int | None:
    context = frame.call
    if context.taken >= len(context.answers):
        raise Unknown(Missing(kind, name, payload))
    outcome: Outcome = context.answers[context.taken]
    context.taken += 1
    if isinstance(outcome, HostFailure):
        context.log("warning", f"{kind} {name}: {outcome.message}".replace(" :", ":"))
        return outcome.code
    if isinstance(outcome, Nested):
        return context.adopt(outcome)
    return outcome


def abort(frame: Frame, message: int, file: int, line: int, column: int) -> NoReturn:
    where = f" ({_managed(frame, file)}:{line}:{column})" if file else ""
    raise Trap("abort", (_managed(frame, message) or "aborted") + where)


def trace(frame: Frame, message: int, count: int, *numbers: float) -> None:
    shown = " ".join(f"{n:g}" for n in numbers[: min(count, 5)])
    frame.call.log("debug", f"{_managed(frame, message)} {shown}".rstrip())


def seed(frame: Frame) -> float:
    return float(int.from_bytes(frame.call.draw(6), "little"))


def date_now(frame: Frame) -> float:
    return float(frame.call.now_ms)


def performance_now(frame: Frame) -> float:
    """Time stands still within a run, so this one has just begun."""
    return 0.0


def console(level: str) -> Callable[[Frame, int], None]:
    def write(frame: Frame, message: int) -> None:
        frame.call.log(level, _managed(frame, message, 131_074))

    return write


def _managed(frame: Frame, place: int, most: int = 2_000) -> str:
    """An AssemblyScript string: UTF-16, its length in bytes stands 4 bytes before it."""
    if place < 4:
        return ""
    size = int.from_bytes(frame.read(place - 4, 4), "little")
    return frame.read(place, min(size, most) & ~1).decode("utf-16-le", "replace")


def _refuse_readonly(frame: Frame, what: str) -> None:
    if frame.call.readonly:
        raise Trap("readonly", f"a validation may not {what}")


# Functions whose bytes go back through the guest's own `alloc`.
GIVING: dict[str, Callable[..., bytes | int | None]] = {
    "kv_get": kv_get,
    "kv_list": kv_list,
    "secret": secret,
    "http": http,
    "call": call,
}
PLAIN: dict[str, Callable[..., int | float | None]] = {
    "log": log,
    "signal": signal,
    "fire": fire,
    "kv_set": kv_set,
    "kv_delete": kv_delete,
    "now_ms": now_ms,
    "random": random,
}
ENV: dict[str, Callable[..., int | float | None]] = {
    "abort": abort,
    "trace": trace,
    "seed": seed,
    "Date.now": date_now,
    "performance.now": performance_now,
    "console.debug": console("debug"),
    "console.info": console("info"),
    "console.log": console("info"),
    "console.warn": console("warning"),
    "console.error": console("error"),
}
