"""Processes of the bench: each in a group of its own, ended with everything it started; ports and memory of them."""

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
OURS = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "SECRET_KEY"}


PDEATHSIG = 1
PRCTL = getattr(ctypes.CDLL(None), "prctl", None)


class BenchFailed(Exception):
    """Something could not be measured, and why."""


def free_ports(count: int = 1) -> int:
    """The first of ``count`` ports in a row that nobody listens on."""
    for _ in range(200):
        with contextlib.ExitStack() as held:
            try:
                first = bound(held, 0)
                for more in range(1, count):
                    bound(held, first + more)
            except (OSError, OverflowError):
                continue
            return first
    raise BenchFailed("no free ports")


def bound(held: contextlib.ExitStack, port: int) -> int:
    probe = held.enter_context(socket.socket())
    probe.bind(("127.0.0.1", port))
    return int(probe.getsockname()[1])


def clean(**more: str) -> dict[str, str]:
    """This environment without what would lead to somebody's database."""
    kept = {k: v for k, v in os.environ.items() if k not in OURS and not k.startswith("PRIOSTACK_")}
    return {**kept, **more}


@contextmanager
def running(argv: Sequence[str], env: Mapping[str, str], *, stop: int = signal.SIGTERM) -> Iterator[int]:
    """The process id; at the end it is asked to stop, and its group is killed if it does not."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=dies_with_us,
        )
        try:
            yield process.pid
            if process.poll() is not None:
                raise BenchFailed(f"{argv[0]} ended by itself: {tail(log)}")
        finally:
            end(process, stop)


def dies_with_us() -> None:
    """What a child does first: Linux then ends it even if we are killed and cannot do so ourselves."""
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # ignored in the background of a shell, and that is inherited
    if PRCTL is not None:
        PRCTL(PDEATHSIG, signal.SIGTERM)


def output(argv: Sequence[str], env: Mapping[str, str], seconds: float) -> str:
    """What a program prints; its whole group is ended when it takes longer, or when we are interrupted."""
    process = subprocess.Popen(
        argv,
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=dies_with_us,
    )
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise BenchFailed(f"{argv[-2]} took longer than {seconds:.0f} s") from None
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGTERM)
        end(process, signal.SIGTERM)
    if process.returncode:
        raise BenchFailed(f"{argv} ended with {process.returncode}: {errors[-600:]}")
    return out


def end(process: "subprocess.Popen[Any]", first: int) -> None:
    for number, seconds in ((first, 20), (signal.SIGKILL, 5)):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            break
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def tail(log: Any) -> str:
    log.seek(0)
    return str(log.read()[-600:].decode("utf-8", "replace"))


def until(true: Callable[[], object], what: str, *, seconds: float = 60, every: float = 0.02) -> None:
    end_ = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end_:
            raise BenchFailed(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)


def request(
    port: int, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and body; status 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body or None, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def tree(pid: int) -> list[int]:
    """A process and all that came of it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [one for child in task.read_text().split() for one in tree(int(child))]
    return found


def cpu(pid: int) -> float:
    """Seconds of CPU that a process and all that came of it have used."""
    return sum(cpu_of_one(one) for one in tree(pid))


def cpu_of_one(pid: int) -> float:
    return ticks(pid) / os.sysconf("SC_CLK_TCK")


def ticks(pid: int) -> int:
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # ended meanwhile
        return 0
    return int(words[11]) + int(words[12])


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
    except OSError:
        return ""


def pss(pid: int) -> float:
    """Megabytes (10⁶ bytes) of a process and all that came of it, shared pages counted by share."""
    return sum(pss_of_one(one) for one in tree(pid)) / 1e6


WORDS = {
    " beat ": "clock",
    "priostack worker": "worker",
    "priostack.edge": "edge",
    "priostack.asgi": "server",
}
WORDS |= {"valkey-server": "valkey", "priostack.supervise": "supervisor"}


def by_part(pid: int, measure: Callable[[int], float]) -> dict[str, float]:
    """The sum of what is measured of each process, for each part of an installation."""
    found: dict[str, float] = {}
    for one in tree(pid):
        line = command(one)
        name = next((name for word, name in WORDS.items() if word in line), "others")
        found[name] = found.get(name, 0.0) + measure(one)
    return found


def pss_of_one(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # ended meanwhile
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
