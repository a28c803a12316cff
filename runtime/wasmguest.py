"""A loaded module, ready to be called: every call gets a fresh store and instance of it."""

from functools import cached_property
from pathlib import Path
from typing import Any

import wasmtime

from bundles.wasmcallable import is_command
from bundles.wasmfile import Signature, WasmInfo, inspect
from bundles.wasmimports import WAITING, WASI_MODULE
from runtime import wasmlib as lib
from runtime import wasmpublic, wasmraw
from runtime.host import HostCall
from runtime.hostcalls import Unknown
from runtime.wasmconvention import Entry, Giver, entry, giver
from runtime.wasmengine import Engine
from runtime.wasmtypes import Answer, Limits, Suspend, Trap

DEFAULT = Limits()
_REASONS = {"kv": "kv", "list": "list", "http": "async", "call": "async"}


class Guest:
    """`call` runs a function inline; long and waiting calls go to a Fiber of the same guest."""

    def __init__(self, engine: Engine, module: wasmtime.Module, info: WasmInfo) -> None:
        self.engine = engine
        self.info = info
        self.module = module
        self.pre = engine.linker.instantiate_pre(module)
        self.address = lib.address(self.pre)
        self.has_memory = info.exports.get("memory") == "memory"
        self.wasi = is_command(info.exports) or any(m == WASI_MODULE for m, _, _ in info.imports)
        self.waits = any(m == "priostack" and n in WAITING for m, n, _ in info.imports)
        self.initializes = info.exports.get("_initialize") == Signature((), ())
        self.runs_at_start = info.has_start
        self._giver = giver(info.exports)
        self._entries: dict[str, Entry] = {}

    @classmethod
    def load(cls, engine: Engine, path: Path, info: WasmInfo) -> "Guest":
        """From a compiled file of ours (runtime.compile); never from anything a tenant can write."""
        try:
            module = wasmtime.Module.deserialize_file(engine.engine, str(path))
        except wasmtime.WasmtimeError:
            # Ours, but made for another processor or setting: the next load compiles it again.
            path.unlink(missing_ok=True)
            raise Trap(
                "instantiate", "the compiled module did not fit this machine and was dropped; try again"
            )
        return cls(engine, module, info)

    @classmethod
    def compile(cls, engine: Engine, data: bytes) -> "Guest":
        """Compile in this process: for tests and our own modules."""
        return cls(engine, wasmtime.Module(engine.engine, data), inspect(data))

    @cached_property
    def fiber_pre(self) -> Any:
        """The same module linked against functions that can wait."""
        return self.engine.fiber_linker.instantiate_pre(self.module)

    def entry(self, function: str) -> Entry:
        """Resolve once; raises Trap missing_export."""
        found = self._entries.get(function)
        if found is None:
            found = entry(self.info, function)
            if len(self._entries) < 1_000:
                self._entries[function] = found
        return found

    def memory(self, limits: Limits) -> int:
        """Bytes of memory a call may grow to."""
        return limits.wasi_memory if self.wasi else limits.memory

    def giver(self) -> Giver:
        """The allocator for host results."""
        if self._giver is None:
            raise Trap("missing_export", "a host result needs the export alloc(size: i32) -> i32 (or __new)")
        return self._giver

    def call(self, function: str, request: bytes, call: HostCall, limits: Limits = DEFAULT) -> Answer:
        """Run inline from the start with a small budget.

        Raises Suspend when something must be fetched first (see call.missing) or the budget is too small;
        `call.restart()` before trying again.
        """
        found = self._entries.get(function) or self.entry(function)
        if len(request) > limits.input_bytes:
            raise Trap("input", f"the request is {len(request)} bytes; the limit is {limits.input_bytes}")
        engine = self.engine
        engine.calls += 1
        engine.ticker.begin()
        fuel = limits.inline_fuel if limits.inline_fuel < limits.fuel else limits.fuel
        try:
            if engine.raw:
                return wasmraw.run(engine.frame(), self, found, request, call, limits, fuel)
            return wasmpublic.run(self, found, request, call, limits, fuel)
        except Unknown as unknown:
            call.missing.append(unknown.missing)
            raise Suspend(_REASONS[unknown.missing.kind])
        except Trap as trap:
            if trap.kind == "fuel" and fuel < limits.fuel:
                raise Suspend("fuel")
            raise
