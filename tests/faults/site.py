"""A whole installation with a tenant and a running bundle, callers that never rest, and parts to be killed."""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Any
from uuid import UUID

from redis import Redis

from priostack.datadir import socket_path
from tests.priostack.test_up_runs import ROOT, Installation, processes, wait
from tests.runtime.stage import bundle_files

INTENTS = "  - {name: count, whenSensor: tick, toFunc: 'wasm:counter:run', primitiveIntent: stateMutation}"


class Site(Installation):
    """`manage.py up` with the tenant “acme” and the bundle “shop” that counts."""

    def begin(self) -> None:
        wait(lambda: self.get("/readyz") == 200, self.log)
        made = self.manage("tenant", "acme", "--email", "acme@example.org", "--plan", "enterprise", "--json")
        self.headers = {
            "Authorization": f"Bearer {json.loads(made)['api_key']}",
            "Content-Type": "application/json",
        }
        folder = self.home / "shop"
        for path, data in bundle_files("shop", ["counter"], INTENTS, POST_count="wasm:counter:run").items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        told = self.manage("import", str(folder), "--tenant", "acme", "--run", "--json")
        self.bundle = json.loads(told)["id"]
        wait(
            lambda: self.ask("GET", f"/api/bundles/{self.bundle}/status")[2].get("status") == "running",
            self.log,
        )

    def manage(self, *argv: str) -> str:
        drop = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
        env = {name: value for name, value in os.environ.items() if name not in drop}
        env["PRIOSTACK_DATA_DIR"] = str(self.home / "data")
        done = subprocess.run(
            [sys.executable, "manage.py", *argv],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, method: str, path: str) -> tuple[int, Any, Any]:
        """Status, headers and JSON; status 0 when nobody answered."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, b"{}" if method == "POST" else None, self.headers)
            answer = connection.getresponse()
            data = answer.read()
            return answer.status, answer.headers, json.loads(data) if data else {}
        except (OSError, http.client.HTTPException):
            return 0, {}, {}
        finally:
            connection.close()

    def tree(self, name: str) -> list[int]:
        """The part's processes, its own children included."""
        top = self.children()[name]
        return [top, *(pid for pid, parent, _ in processes() if parent == top)]

    def kill(self, name: str) -> None:
        before = self.tree(name)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait(lambda: self.children().get(name, before[0]) != before[0], self.log)

    def history(self) -> dict[str, tuple[str, str]]:
        """Every execution: its status and trigger, read beside the server."""
        with sqlite3.connect(f"file:{self.home}/data/db.sqlite3?mode=ro", uri=True, timeout=20) as rows:
            found = rows.execute("select id, status, trigger from runtime_execution").fetchall()
        ids = [str(UUID(pk)) for pk, _, _ in found]
        assert len(ids) == len(set(ids))
        return {pk: (status, trigger) for pk, (_, status, trigger) in zip(ids, found, strict=True)}

    def why(self, runs: dict[str, str]) -> list[tuple[str, ...]]:
        """What the history says of runs that did not end well."""
        with sqlite3.connect(f"file:{self.home}/data/db.sqlite3?mode=ro", uri=True, timeout=20) as rows:
            wanted = "select id, status, restarts, attempts, lease, due, leased_until, error from runtime_execution"
            found = {str(UUID(row[0])): row for row in rows.execute(wanted).fetchall()}
        return [found.get(run, (run, status)) for run, status in runs.items()]

    def counted(self) -> int:
        """What the counter has come to, read from the store itself."""
        with Redis(unix_socket_path=str(socket_path((self.home / "data").resolve()))) as store:
            found = store.keys("tenant:*:kv:data")
            return sum(int(store.hget(key, "n") or 0) for key in found)


class Load:
    """Callers in threads that ask again and again, and remember what was acknowledged."""

    def __init__(self, site: Site, path: str, callers: int = 6) -> None:
        self.site, self.path = site, path
        self.ending = threading.Event()
        self.acknowledged: list[str] = []
        self.bodies: list[Any] = []
        self.statuses: Counter[int] = Counter()
        self.refusals: set[str] = set()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(callers)]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()

    def run(self) -> None:
        while not self.ending.is_set():
            status, headers, body = self.site.ask("POST", self.path)
            self.statuses[status] += 1
            if status == 200:
                self.acknowledged.append(headers["X-Execution-Id"])
                self.bodies.append(body)
            elif status == 202:
                self.acknowledged += body["executions"]
            elif status:
                self.refusals.add(headers["Content-Type"])
            if status not in (200, 202):
                time.sleep(0.05)

    def more(self, count: int, seconds: float = 90) -> None:
        """Until ``count`` further ones are acknowledged."""
        goal = len(self.acknowledged) + count
        wait(lambda: len(self.acknowledged) >= goal, self.site.log, seconds)
