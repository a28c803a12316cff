"""The one wasmtime engine of a process: configuration, slot pool, linkers, statistics."""

import logging
import os
import threading
from typing import Any

import wasmtime
from django.conf import settings as django
from wasmtime import _ffi as ffi

from runtime import hostfiber, hostpublic, hostraw
from runtime import wasmlib as lib
from runtime.wasmconfig import VERSION, settings
from runtime.wasmraw import RawFrame
from runtime.wasmticker import Ticker

log = logging.getLogger(__name__)

SLOTS = 1_100
SLOT_MEMORY = 64 * 1024 * 1024
KEEP_RESIDENT = 128 * 1024
# Fibers leave these slots to inline calls, so that waiting guests never refuse short ones.
RESERVED = 76


def _pooling(config: wasmtime.Config, slots: int) -> None:
    pool = ffi.wasmtime_pooling_allocation_config_new()
    for name, value in (
        ("total_core_instances", slots),
        ("total_memories", slots),
        ("total_tables", slots * 4),
        ("total_stacks", slots),
        ("max_core_instance_size", 4 * 1024 * 1024),  # room for the most functions that wasmfile admits
        ("max_tables_per_module", 4),
        ("table_elements", 10_000),
        ("max_memory_size", SLOT_MEMORY),
        ("max_unused_warm_slots", 100),
        ("linear_memory_keep_resident", KEEP_RESIDENT),
        ("table_keep_resident", 16 * 1024),
    ):
        getattr(ffi, f"wasmtime_pooling_allocation_config_{name}_set")(pool, value)
    ffi.wasmtime_pooling_allocation_strategy_set(config.ptr(), pool)
    ffi.wasmtime_pooling_allocation_config_delete(pool)


class Engine:
    """Runs guests by raw calls when the pinned library passes its self-test, else by the public classes.

    `raw=None` decides by itself; True and False are for tests and measurements.
    """

    def __init__(self, *, raw: bool | None = None, slots: int = SLOTS) -> None:
        self.pid = os.getpid()
        self.slots = slots
        self.raw = raw if raw is not None else VERSION == lib.PINNED
        try:
            self._open()
            if raw is None:
                self._check()
        except (RuntimeError, AttributeError, OSError, wasmtime.WasmtimeError) as error:
            if raw is not None or not self.raw:
                raise
            log.warning("wasm fast path refused its self-test, using the public classes: %s", error)
            self.raw = False
            self._open()

    def _open(self) -> None:
        config = settings()
        if self.raw:
            _pooling(config, self.slots)
        self.engine = wasmtime.Engine(config)
        self.address = lib.address(self.engine)
        self.kept: list[Any] = []  # callbacks that C code holds
        self.linker, self.fiber_linker = self._linkers()
        self._lock = threading.Lock()
        self._threads: list[tuple[threading.Thread, RawFrame]] = []
        self.fibers: set[Any] = set()
        self.calls = self.peak = 0
        self._local = threading.local()
        self.ticker = Ticker(self.engine, self.used)

    def _linkers(self) -> tuple[Any, Any]:
        if not self.raw:
            return hostpublic.linker(self.engine), None
        return hostraw.linker(self.engine, self.kept), hostfiber.linker(self.engine, self.kept)

    def _check(self) -> None:
        # Imported here because the self-test runs guests, which need an engine.
        from runtime.wasmselftest import check

        check(self)

    def frame(self) -> RawFrame:
        """This thread's scratch."""
        found: RawFrame | None = getattr(self._local, "frame", None)
        if found is None or found.busy:
            found = self._local.frame = RawFrame(self.address)
            thread = threading.current_thread()
            with self._lock:
                self._threads = [(t, f) for t, f in self._threads if t.is_alive()] + [(thread, found)]
        return found

    def hold(self, fiber: Any) -> None:
        """Count a fiber's slot."""
        self.fibers.add(fiber)
        self.peak = max(self.peak, len(self.fibers) + len(self._threads))

    def room(self) -> bool:
        """Whether another fiber may begin."""
        return len(self.fibers) < max(1, self.slots - RESERVED)

    def used(self) -> int:
        """Slots in use now."""
        return sum(frame.busy for _, frame in self._threads) + len(self.fibers)

    def stats(self) -> dict[str, float]:
        """The slot pool in figures: size, used, peak, calls, reused, reuse_rate, utilisation."""
        used = self.used()
        self.peak = max(self.peak, used, len(self._threads), 1)
        reused = max(0, self.calls - self.peak)
        return {
            "size": self.slots,
            "used": used,
            "peak": self.peak,
            "calls": self.calls,
            "reused": reused,
            "reuse_rate": reused / self.calls if self.calls else 0.0,
            "utilisation": used / self.slots,
        }


_lock = threading.Lock()
_shared: Engine | None = None


def engine() -> Engine:
    """The engine of this process, made at first use; a forked child makes its own."""
    global _shared
    with _lock:
        if _shared is None or _shared.pid != os.getpid():
            _shared = Engine(slots=django.SANDBOX_SLOTS)
        return _shared
