"""Load on one address by 32 connections: wrk, else autocannon, else a small generator of our own that costs more itself."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.bench.processes import ROOT, BenchFailed, cpu, request
from tests.bench.work import Work

CONNECTIONS = 32
HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Place:
    """Where a work is done, and with which key."""

    name: str
    port: int
    path: str
    token: str = ""
    pid: int = 0  # the process that does it
    vary: bool = False  # a header differs with every call; only wrk can

    def headers(self) -> dict[str, str]:
        sent = {"Content-Type": "application/json"}
        return {**sent, "Authorization": f"Bearer {self.token}"} if self.token else sent


@dataclass(frozen=True, slots=True)
class Load:
    """What one round gave."""

    calls: int
    seconds: float
    p50_ms: float
    p99_ms: float
    lost: int = 0
    refused: int = 0
    cpu_us: float = 0.0  # of the serving process, for each call

    @property
    def rate(self) -> float:
        return self.calls / self.seconds


@cache
def tool() -> str:
    if shutil.which("wrk"):
        return "wrk"
    return "autocannon" if cannon().exists() else "python"


def cannon() -> Path:
    return ROOT / "node_modules" / ".bin" / "autocannon"


def check(place: Place, work: Work) -> None:
    """One request by hand: a fast wrong answer is no result."""
    status, body = request(place.port, "POST", place.path, work.body, place.headers())
    if status != 200 or not work.right(body):
        raise BenchFailed(f"{place.name}: {work.name} gave {status} {body[:200]!r}")


def fire(place: Place, work: Work, seconds: float) -> Load:
    """One round; BenchFailed when any call was lost or refused."""
    way = {"wrk": by_wrk, "autocannon": by_autocannon, "python": by_python}[tool()]
    before = cpu(place.pid) if place.pid else 0.0
    load = way(place, work.body, seconds)
    spent = cpu(place.pid) - before if place.pid else 0.0
    if load.lost or load.refused or not load.calls:
        raise BenchFailed(f"{place.name}: {load.lost} calls lost, {load.refused} refused of {load.calls}")
    return replace(load, cpu_us=spent / load.calls * 1e6)


def by_wrk(place: Place, body: bytes, seconds: float) -> Load:
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "--latency"]
        env = {
            **os.environ,
            "BENCH_BODY": file.name,
            "BENCH_TOKEN": place.token,
            "BENCH_VARY": str(int(place.vary)),
        }
        told = run([*argv, "-s", str(HERE / "post.lua"), address(place)], env, seconds)
    return Load(**json.loads(told.strip().splitlines()[-1]))


def by_autocannon(place: Place, body: bytes, seconds: float) -> Load:
    argv = [
        str(cannon()),
        "-j",
        "-n",
        "-c",
        str(CONNECTIONS),
        "-d",
        str(max(1, round(seconds))),
        "-m",
        "POST",
    ]
    for name, value in place.headers().items():
        argv += ["-H", f"{name}={value}"]
    told = json.loads(run([*argv, "-b", body.decode(), address(place)], dict(os.environ), seconds))
    calls, times = told["requests"]["total"], told["latency"]
    lost = told["errors"] + told["timeouts"]
    return Load(calls, told["duration"], times["p50"], times["p99"], lost, told["non2xx"])


def address(place: Place) -> str:
    return f"http://127.0.0.1:{place.port}{place.path}"


def run(argv: list[str], env: dict[str, str], seconds: float) -> str:
    try:
        done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=seconds + 30, check=True)
    except (subprocess.SubprocessError, OSError) as problem:
        raise BenchFailed(f"{Path(argv[0]).name}: {problem}") from None
    return done.stdout


def by_python(place: Place, body: bytes, seconds: float) -> Load:
    return asyncio.run(by_connections(place, body, seconds))


async def by_connections(place: Place, body: bytes, seconds: float) -> Load:
    lines = [f"POST {place.path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in place.headers().items()]
    message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    began = time.perf_counter()
    shots = [one_connection(place.port, message, began + seconds) for _ in range(CONNECTIONS)]
    done = await asyncio.gather(*shots)
    spent = time.perf_counter() - began
    times = sorted(one for found, _ in done for one in found)
    if not times:
        return Load(0, spent, 0, 0, lost=CONNECTIONS)
    at = [times[int(len(times) * share)] * 1e3 for share in (0.5, 0.99)]
    return Load(len(times), spent, at[0], at[1], refused=sum(refused for _, refused in done))


async def one_connection(port: int, message: bytes, until: float) -> tuple[list[float], int]:
    """Seconds of every call, and how many did not answer 200."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: list[float] = []
    refused = 0
    while (began := time.perf_counter()) < until:
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        times.append(time.perf_counter() - began)
        refused += not head.startswith(b"HTTP/1.1 200")
    writer.close()
    return times, refused
