"""A prompt that is only compiled, inside of one process, as JSON: `python -m tests.bench.promptinside CALLS`."""

# ruff: noqa: E402  models need the apps to be loaded

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")

import django

django.setup()

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import call_command

from billing.provision import provision
from priostack.up import valkey
from runtime import metrics
from runtime.exchange import Asked, Given
from runtime.gateway import Gateway
from runtime.reply import packed
from tests.bench import prompttexts, work
from tests.bench.prompttexts import DRY
from tests.runtime.stage import run_bundle

AT_ONCE = 16  # answers that leave together, as of 32 connections under load
GROWTH_CALLS = 100_000
DATE = b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"


async def gone(limit: int) -> bytes:
    return DRY.body


def asked(token: str, prompt: str = "hello") -> Asked:
    headers = {
        "host": "127.0.0.1:8001",
        "content-type": "application/json",
        "content-length": str(len(DRY.body)),
    }
    return Asked("POST", f"/{work.SLUG}/prompts/{prompt}", b"dry=1", headers, token, "127.0.0.1", gone)


class Bench:
    """A gateway with the prompts running."""

    def __init__(self, token: str) -> None:
        self.gateway, self.token = Gateway(), token

    async def once(self) -> None:
        given = await self.gateway.respond(lambda: asked(self.token))
        if given.status != 200 or not DRY.right(given.body):
            raise SystemExit(f"the gateway answered {given.status} {given.body[:200]!r}")

    def latencies(self, calls: int) -> list[float]:
        """Microseconds of each call whose head is new."""
        taken = []
        for number in range(calls):
            began = time.perf_counter_ns()
            given = self.gateway.now(asked(self.token), DRY.body)
            if not isinstance(given, Given):
                raise SystemExit("the gateway wants to wait for something")
            packed(given, DATE, close=False)
            taken.append((time.perf_counter_ns() - began) / 1e3)
            if number % AT_ONCE == 0:
                self.flush()
        self.flush()
        return taken

    def many(self, calls: int) -> None:
        """Calls with a head that is known."""
        hot = self.gateway.heat(asked(self.token))
        if hot is None:
            raise SystemExit("the gateway does not know the prompts")
        for number in range(calls):
            if not isinstance(hot.again(self.gateway, DRY.body, DATE), bytes):
                raise SystemExit("the gateway does not answer as before")
            if number % AT_ONCE == 0:
                self.flush()
        self.flush()

    def chained(self, calls: int) -> None:
        """Calls through the interceptors of a prompt."""
        for number in range(calls):
            given = self.gateway.now(asked(self.token, "guarded"), DRY.body)
            if given is None or given.status != 200:
                raise SystemExit("the gateway does not answer through interceptors")
            if number % AT_ONCE == 0:
                self.flush()
        self.flush()

    def flush(self) -> None:
        if self.gateway.waist is not None:
            self.gateway.waist.flush()

    def growth(self, work: Callable[[int], None]) -> float:
        """Megabytes of resident memory that so many calls leave behind."""
        work(GROWTH_CALLS)
        gc.collect()
        before = metrics.memory()
        work(GROWTH_CALLS)
        gc.collect()
        return max(0, metrics.memory() - before) / 1e6


def furnish() -> str:
    call_command("migrate", verbosity=0)
    made = provision(work.SLUG, "bench@example.org", plan="enterprise")
    files = {path: text.encode() for path, text in prompttexts.files().items()}
    run_bundle(SimpleNamespace(email=made.owner.email, tenant=made.tenant), files)
    return str(made.api_key)


async def main(calls: int) -> None:
    bench = Bench(await sync_to_async(furnish)())
    await bench.once()
    bench.latencies(calls // 10)
    taken = sorted(bench.latencies(calls))
    at = {name: taken[int(len(taken) * share)] for name, share in (("p50", 0.5), ("p99", 0.99))}
    found = {
        **at,
        "middle": at["p50"],
        "longest": taken[-1],
        "growth": bench.growth(bench.many),
        "chained": bench.growth(bench.chained),
    }
    await bench.gateway.stop()
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    with subprocess.Popen(valkey(settings).argv, stdout=subprocess.DEVNULL) as store:  # type: ignore[arg-type]
        try:
            while not settings.REDIS_SOCKET.exists():
                time.sleep(0.02)
            asyncio.run(main(int(sys.argv[1])))
        finally:
            store.terminate()
