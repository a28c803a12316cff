"""Advances an engine's epoch every 10 ms while guests run, and sleeps when none has run for a second."""

import threading
from collections.abc import Callable
from time import sleep

import wasmtime

from runtime.wasmtypes import TICK_MS

IDLE_TICKS = 100


class Ticker:
    """A daemon thread; `begin` is cheap enough for every call."""

    def __init__(self, engine: wasmtime.Engine, busy: Callable[[], int]) -> None:
        self._engine = engine
        self._busy = busy
        self._wake = threading.Event()
        self.calls = 0
        self.asleep = False
        self._thread = threading.Thread(target=self._run, name="wasm-epoch", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """A guest is about to run."""
        self.calls += 1
        if self.asleep:
            self._wake.set()

    def _run(self) -> None:
        idle = seen = 0
        while True:
            sleep(TICK_MS / 1000)
            self._engine.increment_epoch()
            active = self.calls != seen or self._busy() > 0
            seen = self.calls
            idle = 0 if active else idle + 1
            if idle >= IDLE_TICKS:
                self._rest(seen)
                idle = 0

    def _rest(self, seen: int) -> None:
        self._wake.clear()
        self.asleep = True
        # A call that began in between saw `asleep` unset; its count tells.
        if self.calls == seen:
            self._wake.wait()
        self.asleep = False
