"""A small forked process that ends whole process groups when the supervisor is gone, even by kill -9."""

import contextlib
import os
import signal
import time


def end(groups: set[int], how: signal.Signals) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, how)


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def sweep(groups: set[int], grace: float) -> None:
    """Asks every group to stop, waits a little, then insists."""
    end(groups, signal.SIGTERM)
    until = time.monotonic() + grace
    while time.monotonic() < until and any(alive(group) for group in groups):
        time.sleep(0.05)
    end(groups, signal.SIGKILL)


class Janitor:
    """Knows the groups that run; ``hire`` forks, so call it before any thread is started."""

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self.pid = 0
        self._pipe = -1

    def hire(self) -> None:
        reader, self._pipe = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(reader)
            return
        os.close(self._pipe)
        try:
            self._serve(reader)
        finally:
            os._exit(0)

    def _serve(self, reader: int) -> None:
        # A session of its own: a signal to the supervisor's whole group must not end the janitor too.
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        groups: set[int] = set()
        with os.fdopen(reader) as lines:
            for line in lines:
                pid = int(line)
                groups.add(pid) if pid > 0 else groups.discard(-pid)
        sweep(groups, self.grace)

    def watch(self, pid: int) -> None:
        os.write(self._pipe, b"%d\n" % pid)

    def forget(self, pid: int) -> None:
        os.write(self._pipe, b"-%d\n" % pid)

    def dismiss(self) -> None:
        """Everything has ended in order: nothing is left to sweep."""
        os.close(self._pipe)
        os.waitpid(self.pid, 0)
