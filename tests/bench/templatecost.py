"""What compiling prompts costs us, as JSON: `python -m tests.bench.templatecost SECONDS FILE…` (no Django, no data)."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from bundles.promptcompile import prepare

WARM = 100


def rate(work: Callable[[], object], seconds: float) -> float:
    for _ in range(WARM):
        work()
    began = time.perf_counter()
    until, count = began + seconds, 0
    while time.perf_counter() < until:
        work()
        count += 1
    return count / (time.perf_counter() - began)


def measured(path: str, seconds: float) -> dict[str, float]:
    files = {"a.prmd": Path(path).read_bytes()}
    ready = prepare(files, "a.prmd")
    text = ready.render({}).output
    return {
        "cold": rate(lambda: prepare(files, "a.prmd").render({}), seconds),
        "cached": rate(lambda: ready.render({}), seconds),
        "length": len(str(text).strip()),
    }


def main(seconds: float, paths: list[str]) -> None:
    sys.stdout.write(json.dumps({path: measured(path, seconds) for path in paths}) + "\n")


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
