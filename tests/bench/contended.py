"""The contended path: everybody waits for a round, for one tenant keeps the queue full and the others pay a price."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.house import House, furnished, manage
from tests.bench.load import Load
from tests.bench.processes import BenchFailed, by_part, clean, cpu_of_one, output
from tests.bench.table import CPU, P50, P99, Goal, Row
from tests.bench.throughput import RATE

LUA = Path(__file__).resolve().with_name("contended.lua")
TENANTS, CONNECTIONS, FILLERS, FEW = 24, 10_000, 40, 40
SPIN = json.dumps({"n": 2_400_000_000}).encode()
BEYOND = "p99 ms beyond the round"
Keys = dict[str, str]


def measure(*, quick: bool) -> list[Row]:
    return [*at_edges(1, quick=quick), *at_edges(2, quick=quick)]


def at_edges(count: int, *, quick: bool) -> list[Row]:
    with furnished(count, PRIOSTACK_MARKET_THRESHOLD="50") as house:
        keys = contenders(house)
        filling(house, keys.pop("heavy"))
        few = beyond(house, keys, 3 if quick else 8)
        before = by_part(house.pid, cpu_of_one)
        load = many(house, keys, 8 if quick else 20)
        spent = by_part(house.pid, cpu_of_one)
        adds_up(house)
    edges = f"{count} edge process{'es' * (count > 1)}"
    each = {name: 1e6 * (spent[name] - before.get(name, 0.0)) / load.calls for name in spent}
    others = ", ".join(f"{name} {each.get(name, 0.0):.0f}" for name in ("worker", "valkey", "server"))
    note = f"{CONNECTIONS:,} connections of {TENANTS} tenants that bid, rounds of 1 s, the load on the same cores"
    note += f"; CPU is edge's for each call, beside it {others} µs"
    figures = {RATE: load.rate, P50: load.p50_ms, P99: load.p99_ms, CPU: each.get("edge", 0.0)}
    return [
        Row(f"calls that wait for a paid round, {edges}", figures, (Goal(RATE, 4_000, least=True),), note),
        Row(
            f"  {FEW} at a time", {BEYOND: few}, (Goal(BEYOND, 50),), "from the round's second to the answer"
        ),
    ]


def adds_up(house: House) -> None:
    told = manage(house.home, "wallet", "check")
    if "adds up" not in told:
        raise BenchFailed(f"the ledger does not add up: {told[-200:]}")


def contenders(house: House) -> Keys:
    env = clean(PRIOSTACK_DATA_DIR=str(house.home), DJANGO_SETTINGS_MODULE="priostack.settings")
    told = output([sys.executable, "-m", "tests.bench.contenders", str(TENANTS)], env, 280)
    found: Keys = json.loads(told.splitlines()[-1])
    return found


def filling(house: House, key: str) -> None:
    """Long actions that nobody pays for: they wait, and so there is a price."""
    for _ in range(FILLERS):
        threading.Thread(target=ask, args=(house.edge, "heavy", "spin", key, SPIN), daemon=True).start()
    until = time.monotonic() + 20
    some = house.api
    while not some("GET", "/market")["contended"]:
        if time.monotonic() > until:
            raise BenchFailed("there is no price, although the queue is full")
        time.sleep(0.2)


def ask(port: int, slug: str, name: str, key: str, body: bytes) -> tuple[int, http.client.HTTPMessage | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=100)
    try:
        sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", f"/{slug}/api/shop/{name}", body, sent)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()


def beyond(house: House, keys: Keys, turns: int) -> float:
    """ms from the second in which a round was due to the answers of those it served, 99 of 100."""
    late: list[float] = []

    def one(slug: str) -> None:
        status, headers = ask(house.edge, slug, "echo", keys[slug], b'{"a":1}')
        now = time.time()
        if status != 200 or headers is None:
            raise BenchFailed(f"a call that waited was answered {status}")
        if number := headers.get("X-Market-Round"):
            late.append(1000 * (now - int(number)))

    slugs = [list(keys)[n % len(keys)] for n in range(FEW)]
    with ThreadPoolExecutor(FEW) as pool:
        for _ in range(turns):
            list(pool.map(one, slugs))
    if not late:
        raise BenchFailed("nobody had to wait")
    return sorted(late)[int(len(late) * 0.99)]


def many(house: House, keys: Keys, seconds: int) -> Load:
    place = house.home / "contenders"
    place.write_text("".join(f"{slug} {key}\n" for slug, key in keys.items()))
    argv = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "-s", str(LUA)]
    done = subprocess.run(
        ["sh", "-c", 'ulimit -n 12000; exec "$@"', "sh", *argv, f"http://127.0.0.1:{house.edge}/"],
        env={**os.environ, "CONTENDERS": str(place)},
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    if done.returncode:
        raise BenchFailed(f"wrk: {done.stderr[-200:] or done.stdout[-200:]}")
    load = Load(**json.loads(done.stdout.strip().splitlines()[-1]))
    if load.refused or not load.calls:
        raise BenchFailed(f"{load.refused} of {load.calls} calls were refused")
    return load
