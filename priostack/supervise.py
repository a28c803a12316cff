"""Runs the children of a plan: prefixed output, restarts with back-off, an orderly stop; without Django."""

import contextlib
import fcntl
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from priostack.janitor import Janitor, end
from priostack.plan import Child, Plan, load
from priostack.ready import Events, announce

FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0
STABLE = 20.0  # seconds; whoever lived that long starts again without waiting
TRIES = 5  # quick deaths in a row that stop everything, as long as nothing was ever ready
COLOURS = (36, 32, 33, 35, 34, 31)


class Process:
    """A child, started now or not yet, and how often it died quickly."""

    def __init__(self, child: Child, prefix: bytes) -> None:
        self.child = child
        self.prefix = prefix
        self.popen: subprocess.Popen[bytes] | None = None
        self.due: float | None = time.monotonic() + child.delay
        self.deaths = 0
        self._since = 0.0
        self._rest = b""

    def start(self) -> subprocess.Popen[bytes]:
        """In a session of its own, so that Ctrl-C in the terminal reaches the supervisor alone."""
        self.due = None
        self._since = time.monotonic()
        self.popen = subprocess.Popen(
            self.child.argv,
            env={**os.environ, **self.child.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return self.popen

    def lines(self, data: bytes) -> bytes:
        """Whole lines with the child's name before each; the rest waits for its end (at the end: b"")."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if not data and self._rest:
            whole, self._rest = [self._rest], b""
        return b"".join(self.prefix + line + b"\n" for line in whole)

    def buried(self, now: float) -> None:
        """Plans the next start: at once after a long life, later after each quick death."""
        self.popen = None
        if self.child.once:
            return
        self.deaths = 1 if now - self._since > STABLE else self.deaths + 1
        self.due = now + min(FIRST_WAIT * 2 ** (self.deaths - 1), LONGEST_WAIT)


class Supervisor:
    """One loop over output, deaths and due starts; signals only set a flag and wake it."""

    def __init__(self, plan: Plan, out: IO[bytes]) -> None:
        self.plan = plan
        self.out = out
        self.processes = [Process(child, self._prefix(i)) for i, child in enumerate(plan.children)]
        self.events = Events()
        self.code = 0
        self._signals = 0
        self._select = selectors.DefaultSelector()
        self._janitor = Janitor(plan.grace)

    def _prefix(self, index: int) -> bytes:
        width = max(len(child.name) for child in self.plan.children)
        text = f"{self.plan.children[index].name:<{width}} │ "
        colour = COLOURS[index % len(COLOURS)]
        return (f"\x1b[{colour}m{text}\x1b[0m" if self.out.isatty() else text).encode()

    def run(self) -> int:
        self._janitor.hire()  # forks, hence before the thread below
        self._listen()
        threading.Thread(target=announce, args=(self.plan, self.events), daemon=True).start()
        while not self._signals and not self.code:
            self._start_due()
            self._settle()
            self._turn(self._pause())
        self.stop()
        return self.code

    def stop(self) -> None:
        """First those that use the others, then the others (Valkey); a second signal insists at once."""
        self.events.done.set()
        self.events.settled.set()
        for last in (False, True):
            self._stop([p for p in self.processes if p.child.last is last])
        self._janitor.dismiss()

    def say(self, text: str) -> None:
        self._write(f"{text}\n".encode())

    def _write(self, data: bytes) -> None:
        # Nobody reads any more (a closed pipe): that is no reason to stop serving.
        with contextlib.suppress(BrokenPipeError):
            self.out.write(data)
            self.out.flush()

    def _listen(self) -> None:
        reader, writer = os.pipe()
        for end_ in (reader, writer):
            os.set_blocking(end_, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        self._select.register(reader, selectors.EVENT_READ)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _on_signal(self, *_: object) -> None:
        self._signals += 1

    def _pause(self) -> float:
        now = time.monotonic()
        return min([1.0, *(max(p.due - now, 0.0) for p in self.processes if p.due is not None)])

    def _start_due(self) -> None:
        for process in self.processes:
            if process.due is not None and process.due <= time.monotonic():
                self._start(process)

    def _settle(self) -> None:
        if all(p.popen is None and p.due is None for p in self.processes if p.child.once):
            self.events.settled.set()

    def _start(self, process: Process) -> None:
        try:
            popen = process.start()
        except OSError as error:
            self.say(f"{process.child.name} cannot be started: {error}")
            process.buried(time.monotonic())
            self._give_up_on(process)
            return
        self._janitor.watch(popen.pid)
        assert popen.stdout is not None
        os.set_blocking(popen.stdout.fileno(), False)
        self._select.register(popen.stdout, selectors.EVENT_READ, process)

    def _turn(self, pause: float) -> None:
        for key, _ in self._select.select(pause):
            self._drain(key)
        for process in self.processes:
            self._bury(process)

    def _drain(self, key: selectors.SelectorKey) -> None:
        try:
            data = os.read(key.fd, 65536)
        except BlockingIOError:
            return
        if key.data is None:  # the wake-up pipe of the signals
            return
        self._write(key.data.lines(data))
        if not data:
            self._close(key.fileobj)

    def _close(self, stream: object) -> None:
        self._select.unregister(stream)  # type: ignore[arg-type]
        stream.close()  # type: ignore[attr-defined]

    def _bury(self, process: Process) -> None:
        popen = process.popen
        if popen is None or popen.poll() is None:
            return
        # What it started may outlive it (granian's workers); none of that may hold the port of the next one.
        end({popen.pid}, signal.SIGKILL)
        self._janitor.forget(popen.pid)
        if popen.stdout is not None and not popen.stdout.closed:
            self._write(process.lines(self._last_words(popen)))
            self._write(process.lines(b""))
            self._close(popen.stdout)
        process.buried(time.monotonic())
        if not self.events.done.is_set():
            self._report(process, popen.returncode)

    def _last_words(self, popen: subprocess.Popen[bytes]) -> bytes:
        assert popen.stdout is not None
        try:
            return os.read(popen.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            return b""

    def _report(self, process: Process, code: int) -> None:
        name = process.child.name
        if process.child.once:
            if code:
                self.say(f"{name} failed (exit {code})")
            return
        self._give_up_on(process)
        if not self.code and process.due is not None:
            wait = max(process.due - time.monotonic(), 0.0)
            self.say(f"{name} ended (exit {code}), again in {wait:.1f} s")

    def _give_up_on(self, process: Process) -> None:
        """What never ran will not run by trying for ever: a wrong setting, a taken port."""
        if not self.events.ready.is_set() and process.deaths >= TRIES:
            self.say(f"{process.child.name} does not start; stopping everything")
            self.code = 1

    def _stop(self, processes: list[Process]) -> None:
        signals, until = self._signals, time.monotonic() + self.plan.grace
        for process in processes:
            process.due = None
        running = {p.popen.pid for p in processes if p.popen is not None}
        end(running, signal.SIGTERM)
        while any(p.popen for p in processes) and time.monotonic() < until and self._signals == signals:
            self._turn(0.1)
            for process in processes:
                process.due = None
        end({p.popen.pid for p in processes if p.popen is not None}, signal.SIGKILL)
        for process in processes:
            if process.popen is not None:
                process.popen.wait()
                self._bury(process)
                process.due = None


def hold(path: str) -> IO[str] | None:
    """The lock that lets one supervisor use a data directory; None when another holds it."""
    handle = Path(path).open("a")  # noqa: SIM115  held as long as the process lives
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def main(argv: list[str]) -> int:
    plan = load(Path(argv[1]))
    lock = hold(plan.lock) if plan.lock else sys.stdin
    if lock is None:
        sys.stderr.write(
            "PrioStack already runs with this data directory (PRIOSTACK_DATA_DIR names another).\n"
        )
        return 1
    return Supervisor(plan, sys.stdout.buffer).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
