"""Which gateway serves in this process and in which loop, for code of ours that runs in other threads."""

import asyncio
import atexit
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.gateway import Gateway

Place = tuple["Gateway", asyncio.AbstractEventLoop]
_here: list[Place] = []
_lock = threading.Lock()


def begun(gateway: "Gateway") -> None:
    _here.append((gateway, asyncio.get_running_loop()))


def ended(gateway: "Gateway") -> None:
    _here[:] = [place for place in _here if place[0] is not gateway]


def place() -> Place:
    """The gateway that serves; in a process that serves nothing one of its own, in a thread that waits for calls."""
    with _lock:
        found = next((place for place in _here if not place[1].is_closed()), None)
        return found or Aside().place()


class Aside(threading.Thread):
    """A loop beside the program, for as long as that runs."""

    def __init__(self) -> None:
        super().__init__(name="aside", daemon=True)
        self.loop = asyncio.new_event_loop()

    def run(self) -> None:
        self.loop.run_forever()
        self.loop.close()

    def place(self) -> Place:
        from runtime.gateway import Gateway  # which tells us when it serves

        gateway = Gateway("python")
        self.start()
        asyncio.run_coroutine_threadsafe(gateway.start(), self.loop).result()
        atexit.register(self.stop, gateway)
        return gateway, self.loop

    def stop(self, gateway: "Gateway") -> None:
        if self.is_alive():
            asyncio.run_coroutine_threadsafe(gateway.stop(), self.loop).result(10)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.join(10)


def stop() -> None:
    """End what `place` has begun beside the program, if it has."""
    for gateway, loop in list(_here):
        for thread in threading.enumerate():
            if isinstance(thread, Aside) and thread.loop is loop:
                thread.stop(gateway)
