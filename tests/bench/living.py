"""Starting, waking and idling: how soon an installation answers, how soon a stopped bundle does, what all of it weighs."""

import json
import time

from tests.bench.house import House, data_dir, up
from tests.bench.load import check
from tests.bench.processes import BenchFailed, by_part, cpu_of_one, request, until
from tests.bench.table import Goal, Row, ends, middle
from tests.bench.work import W1

FIRST = "/demo/api/v1/catalog/products"
PRODUCTS = 8
REST_S = 10.0  # an installation is idle that long after its start


def start_and_idle(times: int) -> list[Row]:
    """Start to first right answer with the demo loaded, and the memory of that installation when nobody calls."""
    with data_dir() as home:
        with up(home) as house:
            until(lambda: (home / "demo.json").exists(), "the demo is loaded", seconds=120)
            token = str(json.loads((home / "demo.json").read_text())["api_key"])
            first_answer(house, token, time.perf_counter())
        took = []
        for _ in range(times):
            began = time.perf_counter()
            with up(home) as house:
                took.append(first_answer(house, token, began))
                spent = by_part(house.pid, cpu_of_one)
                if len(took) == times:
                    time.sleep(REST_S)
                    weighed = weigh(house)
    note = f"{times} starts, installed, migrated, demo loaded; CPU in the last: {told(spent, 1)} s"
    goal = (Goal("s", 3.0),)
    return [
        Row("start to first right answer", {"s": middle(took)}, goal, note, ends={"s": ends(took)}),
        weighed,
    ]


def first_answer(house: House, token: str, began: float) -> float:
    """Seconds since ``began`` until the demo's shop lists its products."""

    def right() -> bool:
        status, body = request(house.port, "GET", FIRST, headers={"Authorization": f"Bearer {token}"})
        return status == 200 and json.loads(body).get("count") == PRODUCTS

    until(right, "the first right answer")
    return time.perf_counter() - began


def weigh(house: House) -> Row:
    parts = house.memory()
    note = "PSS: " + told(parts, 0) + " MB"
    return Row("idle memory of everything together", {"MB": sum(parts.values())}, (Goal("MB", 350),), note)


def told(parts: dict[str, float], digits: int) -> str:
    return ", ".join(f"{name} {size:.{digits}f}" for name, size in parts.items())


def wake_by_run(house: House, times: int) -> Row:
    """From POST /run of a stopped bundle to its first 200 at one edge process."""
    place = house.place("one edge process", "echo")
    took = []
    for _ in range(times):
        house.stop()
        until(lambda: answer(house) != 200, "the bundle is stopped", every=0.005)
        time.sleep(0.3)
        began = time.perf_counter()
        house.run()
        until(lambda: answer(house) == 200, "the bundle answers again", every=0.003)
        took.append((time.perf_counter() - began) * 1e3)
        check(place, W1)
    note = f"POST /run to the first 200, through REST, the worker and an edge process, {times} times"
    return Row(
        "wake of a stopped bundle", {"ms": middle(took)}, (Goal("ms", 10),), note, ends={"ms": ends(took)}
    )


def answer(house: House) -> int:
    place = house.place("one edge process", "echo")
    status, _ = request(place.port, "POST", place.path, W1.body, place.headers())
    if status not in (0, 200, 404):
        raise BenchFailed(f"a stopped bundle answered {status}")
    return status
