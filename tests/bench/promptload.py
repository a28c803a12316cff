"""Prompts that are only compiled, over HTTP: 32 connections beside the bare floor, the latency inside, memory per call."""

import json
import time
from dataclasses import replace

from tests.bench import prompttexts
from tests.bench.house import House
from tests.bench.load import Place, fire, tool
from tests.bench.processes import BenchFailed, until
from tests.bench.prompttexts import DRY
from tests.bench.single import told
from tests.bench.table import NODE, P50, P99, Goal, Row
from tests.bench.throughput import LEAK, Contest, Pace, check, yardsticks
from tests.bench.work import SLUG

GOALS = (Goal(NODE, 0.25, least=True), Goal(P99, 15))


def upload(house: House, model: int = 80) -> str:
    """The bundle of prompts beside what runs already; its id."""
    edge = "prompts-of-the-bench"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="prompts.zip"\r\n\r\n'
    body = head.encode() + prompttexts.archive(model) + f"\r\n--{edge}--\r\n".encode()
    kind = f"multipart/form-data; boundary={edge}"
    bundle = str(house.api("POST", "/bundles/upload", body, Content_Type=kind)["id"])
    house.api("POST", f"/bundles/{bundle}/run")
    until(
        lambda: house.api("GET", f"/bundles/{bundle}/status")["status"] == "running",
        "the prompts run",
        seconds=60,
    )
    return bundle


def dry(house: House, name: str, prompt: str) -> Place:
    return replace(house.place(name, "echo"), path=f"/{SLUG}/prompts/{prompt}?dry=1")


def measure(house: House, pace: Pace) -> list[Row]:
    upload(house)
    edge = "one edge process"
    place = dry(house, edge, "hello")
    varied = {replace(place, name=f"{edge}, every head another", vary=True): ()} if tool() == "wrk" else {}
    mine = {place: GOALS, **varied, dry(house, f"{edge}, with interceptors", "guarded"): ()}
    with yardsticks(house.upstream) as (node, asgi):
        contest = Contest(DRY, replace(node, path=DRY.path), replace(asgi, path=DRY.path), mine)
        for one in (contest.node, *contest.mine):
            check(one, DRY)
            fire(one, DRY, 1)  # warm
        fire(contest.asgi, DRY, 1)
        house.settle()
        for number in range(pace.rounds):
            contest.round(number, pace.seconds, house)
    return [*contest.rows(), growth(house, pace)]


def growth(house: House, pace: Pace) -> Row:
    """What the process that serves has grown by after many calls through the chain of a prompt."""
    place = dry(house, "one edge process", "guarded")
    many(house, place, pace.growth_calls)
    time.sleep(2)
    before = house.memory()
    calls = many(house, place, pace.growth_calls)
    time.sleep(2)
    after = house.memory()
    grown = {name: size - before.get(name, 0.0) for name, size in after.items()}
    parts = ", ".join(f"{name} {size:+.1f}" for name, size in grown.items() if abs(size) >= 0.1)
    figures = {LEAK: grown.get("edge", 0.0) / calls * 100_000}
    note = f"of the edge process, {calls:,} calls through three interceptors; all parts, MB: {parts}"
    return Row(f"{DRY.name}: growth of memory", figures, (Goal(LEAK, 1.0),), note)


def many(house: House, place: Place, calls: int) -> int:
    done = 0
    for _ in range(60):
        done += fire(place, DRY, 5).calls
        house.settle()
        if done >= calls:
            return done
    raise BenchFailed(f"only {done:,} of {calls:,} calls within five minutes")


def inside(calls: int) -> list[Row]:
    """One call after the other within a process: from the request's bytes to the answer's."""
    found = json.loads(told("tests.bench.promptinside", str(calls), seconds=180).splitlines()[-1])
    figures = {"µs": found["middle"], P50: found["p50"] / 1e3, P99: found["p99"] / 1e3}
    note = f"in-process, {calls:,} calls, its record staged; the longest {found['longest'] / 1e3:.1f} ms"
    return [
        Row(f"{DRY.name}, in-process", figures, (Goal(P99, 1.0),), note),
        left(found["chained"], "through three interceptors"),
        left(found["growth"], "with a head that came before"),
    ]


def left(megabytes: float, note: str) -> Row:
    return Row(f"{DRY.name}, in-process: growth of the heap", {LEAK: megabytes}, (Goal(LEAK, 1.0),), note)
