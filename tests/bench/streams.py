"""Ten thousand answers of a prompt streamed by one edge process: held, heard, weighed, and freed when their readers go."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.bench import crowd, promptload, work
from tests.bench.crowd import Model, Reader
from tests.bench.house import House, allow, answers, data_dir, manage, up
from tests.bench.processes import BenchFailed, pss_of_one, until
from tests.bench.prompttexts import DRY
from tests.bench.single import more_files
from tests.bench.table import Goal, Row

HELD = "streams held"
BEAT_S = 5.0
WARM = 100


def measure(count: int) -> Row:
    more_files(2 * count)
    return asyncio.run(measured(count))


async def measured(count: int) -> Row:
    """The installation is started and stopped in threads: this loop is the model."""
    model = Model(pause=2.0)
    port = await model.listen()
    with data_dir() as home:
        token = await asyncio.to_thread(prepared, home)
        with up(home, "--no-demo", "--split", "1", **allow(port)) as house:
            house.token = token
            await asyncio.to_thread(furnish, house, port)
            return await held(house, model, count)


def prepared(home: Path) -> str:
    manage(home, "migrate", "--no-input", "-v", "0")
    options = ("--email", "bench@example.org", "--plan", "enterprise", "--json")
    return str(json.loads(manage(home, "tenant", work.SLUG, *options))["api_key"])


def furnish(house: House, port: int) -> None:
    for one in (house.port, house.edge):
        until(partial(answers, one), "the servers answer", seconds=180)
    body = json.dumps({"value": "sk-of-the-bench", "hosts": ["127.0.0.1"]}).encode()
    house.api("PUT", "/secrets/MODEL_KEY", body, Content_Type="application/json")
    promptload.upload(house, port)


def request(token: str) -> bytes:
    head = f"POST /{work.SLUG}/prompts/hello/stream?heartbeat={BEAT_S * 1000:.0f} HTTP/1.1\r\nHost: bench\r\n"
    head += f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(DRY.body) + DRY.body


async def held(house: House, model: Model, count: int) -> Row:
    edge = house.place("edge", "echo").pid
    said = request(house.token)
    first = await crowd.reading(house.edge, said, WARM)  # warms everything up
    await asyncio.sleep(2)
    before, files = pss_of_one(edge), opened(edge) - open_of(first, model)
    began = time.monotonic()
    readers = [*first, *await crowd.reading(house.edge, said, count - WARM)]
    speed = (count - WARM) / (time.monotonic() - began)
    await asyncio.sleep(1)
    since = time.monotonic()
    await asyncio.sleep(2 * BEAT_S)
    heard, each = crowd.alive(readers, since), (pss_of_one(edge) - before) / (count - WARM)
    words = sum(one.words > 1 for one in readers)
    gone = await freed(readers, lambda: opened(edge) <= files + 8 and not model.busy)
    running = await asyncio.to_thread(still_running, house)
    if running:
        raise BenchFailed(f"{running} runs go on after their readers have left")
    figures = {HELD: float(heard), "bytes each": each}
    note = (
        f"all hear a heartbeat or a word within {2 * BEAT_S:.0f} s; a model with places for {words} of them at once, "
        f"the others wait for one; {each:,.0f} bytes of the edge process each; {speed:,.0f} opened a second; "
        f"connections closed {gone:.1f} s after the readers left, and no run goes on"
    )
    return Row("streamed answers on one edge process", figures, (Goal(HELD, count, least=True),), note)


def open_of(readers: list[Reader], model: Model) -> int:
    return len(readers) + model.busy


def opened(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


async def freed(readers: list[Reader], done: Callable[[], bool]) -> float:
    """Seconds until nothing of the streams is open any more."""
    began = time.monotonic()
    for one in readers:
        one.transport.abort()  # type: ignore[attr-defined]
    while not done():
        if time.monotonic() - began > 60:
            raise BenchFailed("streams are not freed after their readers have left")
        await asyncio.sleep(0.1)
    return time.monotonic() - began


def still_running(house: House) -> int:
    """Runs that the history shows as going on, when everything is written down."""
    deadline = time.monotonic() + 90
    while True:
        house.settle()
        left = len(house.api("GET", "/executions?status=running&limit=100")["items"])
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.5)
