"""What costs what inside of one process, as JSON: `python -m tests.bench.inside rounds calls` (needs a data directory)."""

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
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")

import django

django.setup()

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management import call_command

from billing.provision import provision
from priostack.up import valkey
from runtime import guests, journal
from runtime.exchange import Given
from runtime.gateway import Gateway
from runtime.host import HostCall
from runtime.reply import packed
from runtime.wasm import Answer, Guest, Limits, engine
from runtime.wire import asked
from tests.bench import call_cost, cycle, idle, work
from tests.bench.load import Place
from tests.runtime.stage import run_bundle

WAKES = 30
AT_ONCE = 16  # calls whose answers leave together, as of 32 connections under load


class Bench:
    """A gateway with the bundle running, called as a server would call it."""

    def __init__(self, token: str) -> None:
        self.gateway = Gateway()
        place = Place("inside", 80, f"{work.BASE}/echo", token)
        headers = {"host": "127.0.0.1:8001", "content-length": str(len(work.W1.body)), **place.headers()}
        path = f"/{work.SLUG}{place.path}"
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
        }
        self.message = {"type": "http.request", "body": work.W1.body, "more_body": False}
        self.status = 0

    async def receive(self) -> dict[str, Any]:
        return self.message

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]

    async def once(self) -> None:
        await self.gateway(self.scope, self.receive, self.send)
        if self.status != 200:
            raise SystemExit(f"the gateway answered {self.status}")

    def waist(self, calls: int) -> float:
        """Microseconds of CPU for each call whose head is new; all threads of the process count."""
        began = time.process_time()
        for number in range(calls):
            self.pack(self.gateway.now(asked(self.scope, self.receive), work.W1.body, b""))
            if number % AT_ONCE == 0:
                self.flush()
        self.flush()
        return (time.process_time() - began) / calls * 1e6

    def again(self, calls: int) -> float:
        """The same for a head that is known."""
        hot = self.gateway.heat(asked(self.scope, self.receive))
        if hot is None:
            raise SystemExit("the gateway does not know the bench's bundle")
        began = time.process_time()
        for number in range(calls):
            self.pack(hot.again(self.gateway, work.W1.body, b""))
            if number % AT_ONCE == 0:
                self.flush()
        self.flush()
        return (time.process_time() - began) / calls * 1e6

    def pack(self, given: Given | bytes | None) -> bytes:
        if given is None:
            raise SystemExit("the gateway wants to wait for something")
        return packed(given, b"", close=False) if isinstance(given, Given) else given

    def flush(self) -> None:
        if self.gateway.waist is not None:
            self.gateway.waist.flush()

    def guest(self) -> Guest:
        bundle = next(iter(self.gateway.tenants.known[work.SLUG].bundles.values()))
        return bundle.guests["echo"]

    def bare(self, way: Callable[[int], float], calls: int) -> float:
        """The same with a guest that costs nothing: who, route, admit, journal and answer alone."""
        bundle = next(iter(self.gateway.tenants.known[work.SLUG].bundles.values()))
        real = dict(bundle.guests)
        bundle.guests = {**real, "echo": Silent()}  # type: ignore[dict-item]
        try:
            return way(calls)
        finally:
            bundle.guests = real

    async def wake(self) -> float:
        """Milliseconds of the first call after the tenant and its modules were dropped as idle."""
        self.gateway.tenants.known.clear()
        guests.prepare.cache_clear()
        gc.collect()
        began = time.perf_counter()
        await self.once()
        return (time.perf_counter() - began) * 1e3


class Silent:
    """Stands where a guest stands and answers at once."""

    answer = Answer(work.W1.body, 5_000)

    def call(self, function: str, request: bytes, host: HostCall, limits: Limits) -> Answer:
        return self.answer


def alone(guest: Guest, request: bytes, calls: int) -> float:
    """Microseconds of CPU of the guest's part: what is left of a call without the waist."""
    hosts = [HostCall(str(number), 0) for number in range(calls)]
    limits = Limits()
    began = time.process_time()
    for host in hosts:
        guest.call("run", request, host, limits)
    return (time.process_time() - began) / calls * 1e6


def last_request() -> bytes:
    """What the function was told, from the history."""
    payloads = [payload for path in journal.files() for _, payload in journal.read(path, 0)]
    return str(json.loads(payloads[-1])["input"]).encode()


async def measure(token: str, rounds: int, calls: int) -> dict[str, list[float]]:
    bench = Bench(token)
    await bench.once()
    request = await asyncio.to_thread(last_request)
    bench.waist(calls)
    kinds = (
        "waist",
        "with",
        "bare",
        "again",
        "guest",
        "call",
        "wake",
        "market",
        "marketless",
        "itself",
        "function",
    )
    found: dict[str, list[float]] = {kind: [] for kind in kinds}
    small = Guest.compile(engine(), call_cost.MODULE)
    for _ in range(rounds):
        whole, guest = bench.waist(calls), alone(bench.guest(), request, calls)
        found["with"].append(whole)
        found["bare"].append(bench.bare(bench.waist, calls))
        found["again"].append(bench.bare(bench.again, calls))
        found["marketless"].append(bench.bare(lambda some: idle.without(bench.again, some), calls))
        found["market"].append(idle.steps(10 * calls))
        found["guest"].append(guest)
        found["waist"].append(whole - guest)
        found["call"].append(call_cost.inline(small, "echo"))
        for kind, speed in cycle.measure().items():
            found[kind].append(speed)
        await asyncio.sleep(0.05)
    found["wake"] = [await bench.wake() for _ in range(WAKES)]
    await bench.gateway.stop()
    return found


def furnish() -> str:
    call_command("migrate", verbosity=0)
    made = provision(work.SLUG, "bench@example.org", plan="enterprise")
    run_bundle(SimpleNamespace(email=made.owner.email, tenant=made.tenant), work.files())
    return str(made.api_key)


async def main(rounds: int, calls: int) -> None:
    token = await sync_to_async(furnish)()
    sys.stdout.write(json.dumps(await measure(token, rounds, calls)) + "\n")


if __name__ == "__main__":
    with subprocess.Popen(valkey(settings).argv, stdout=subprocess.DEVNULL) as store:  # type: ignore[arg-type]
        try:
            while not settings.REDIS_SOCKET.exists():
                time.sleep(0.02)
            asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
        finally:
            store.terminate()
