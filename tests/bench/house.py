"""An installation of its own for the bench: `manage.py up` in a temporary data directory, a tenant, the bundle by REST."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.bench import work
from tests.bench.load import Place
from tests.bench.processes import (
    ROOT,
    BenchFailed,
    by_part,
    clean,
    command,
    free_ports,
    pss_of_one,
    request,
    running,
    tree,
    until,
)

FLOOR = Path(__file__).resolve().parent / "floor.mjs"


class House:
    """A running installation; ``edge`` is the process that serves the data plane alone."""

    def __init__(self, home: Path, port: int, pid: int) -> None:
        self.home, self.port, self.edge, self.pid = home, port, port + 1, pid
        self.token = self.password = ""
        self.bundle = ""
        self.upstream = 80  # a server that flows may call

    def place(self, name: str, module: str, *, edge: bool = True) -> Place:
        path = f"/{work.SLUG}{work.BASE}/{module}"
        port, word = (self.edge, "priostack.edge") if edge else (self.port, "priostack.asgi")
        serving = [pid for pid in tree(self.pid)[1:] if word in command(pid)]
        return Place(name, port, path, self.token, serving[0] if serving else 0)

    def hook(self, name: str, flow: str) -> Place:
        """The webhook of a flow, at the edge process."""
        items = self.api("GET", "/flows")["items"]
        one = next(item for item in items if item["name"] == flow)
        path = next(trigger["url"] for trigger in one["triggers"] if trigger["type"] == "webhook")
        return replace(self.place(name, "echo"), path="/" + path.split("/", 3)[3], token="")

    def api(self, method: str, path: str, body: bytes = b"", **headers: str) -> dict[str, Any]:
        sent = {
            "Authorization": f"Bearer {self.token}",
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        status, answer = request(self.port, method, f"/api{path}", body, sent)
        if status not in (200, 201, 202):
            raise BenchFailed(f"{method} {path}: {status} {answer[:300]!r}")
        return dict(json.loads(answer))

    def upload(self) -> None:
        """The bundle by its REST door, as anybody would bring it, and started."""
        edge = uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="bench.zip"\r\n\r\n'
        body = head.encode() + work.archive(self.upstream) + f"\r\n--{edge}--\r\n".encode()
        kind = f"multipart/form-data; boundary={edge}"
        self.bundle = str(self.api("POST", "/bundles/upload", body, Content_Type=kind)["id"])
        self.run()
        until(lambda: self.status() == "running", "the bundle runs", seconds=180)

    def run(self) -> None:
        self.api("POST", f"/bundles/{self.bundle}/run")

    def stop(self) -> None:
        self.api("POST", f"/bundles/{self.bundle}/stop")

    def status(self) -> str:
        return str(self.api("GET", f"/bundles/{self.bundle}/status")["status"])

    def unimported(self) -> int:
        """Bytes of history that wait in the journal."""
        waiting = 0
        for path in (self.home / "journal").glob("*.log"):
            position = path.with_suffix(".pos")
            try:
                done = int(position.read_text() or 0) if position.exists() else 0
                waiting += path.stat().st_size - done
            except (FileNotFoundError, ValueError):
                continue
        return waiting

    def settle(self) -> None:
        """Until the history of the last round is imported, so that it does not slow down the next one."""
        until(lambda: self.unimported() == 0, "the journal is imported", seconds=120, every=0.1)
        time.sleep(0.3)

    def memory(self) -> dict[str, float]:
        """Megabytes of each part."""
        return {name: size / 1e6 for name, size in by_part(self.pid, pss_of_one).items()}


def manage(home: Path, *argv: str) -> str:
    env = clean(PRIOSTACK_DATA_DIR=str(home))
    done = subprocess.run(
        [sys.executable, "manage.py", *argv], cwd=ROOT, env=env, capture_output=True, text=True, timeout=180
    )
    if done.returncode:
        raise BenchFailed(f"manage.py {argv[0]}: {done.stderr[-600:]}")
    return done.stdout


@contextmanager
def data_dir() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="priostack-bench-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def up(home: Path, *options: str, **env: str) -> Iterator[House]:
    """`manage.py up` on free ports; Ctrl-C at the end."""
    port = free_ports(2)
    argv = [sys.executable, "manage.py", "up", "--port", str(port), *options]
    with running(argv, clean(PRIOSTACK_DATA_DIR=str(home), **env), stop=signal.SIGINT) as pid:
        yield House(home, port, pid)


@contextmanager
def upstream() -> Iterator[int]:
    """A bare node server that echoes, for flows that ask somebody; port 80, where nobody listens, without node."""
    node = shutil.which("node")
    if node is None:
        yield 80
        return
    port = free_ports()
    with running([node, str(FLOOR), str(port)], clean()):
        until(lambda: request(port, "POST", "/echo", b"{}")[0], "the server that flows ask answers")
        yield port


def allow(port: int) -> dict[str, str]:
    return {"PRIOSTACK_EGRESS_ALLOW": f"127.0.0.1:{port}"}


def answers(port: int) -> bool:
    return request(port, "GET", "/healthz")[0] != 0


@contextmanager
def furnished(edges: int = 1, **env: str) -> Iterator[House]:
    """A house with the bench's tenant (a plan without limits) and its bundle running, server and edge processes."""
    with data_dir() as home:
        manage(home, "migrate", "--no-input", "-v", "0")
        made = manage(
            home, "tenant", work.SLUG, "--email", "bench@example.org", "--plan", "enterprise", "--json"
        )
        with upstream() as port, up(home, "--no-demo", "--split", str(edges), **allow(port), **env) as house:
            house.upstream = port
            house.token, house.password = (str(json.loads(made)[name]) for name in ("api_key", "password"))
            for port in (house.port, house.edge):
                until(partial(answers, port), "the servers answer", seconds=180)
            house.upload()
            yield house
