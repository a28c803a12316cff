"""Counts of each interceptor in this process, under the names that people know: totalExecutions, averageTime and so on."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

MOST = 2_000
MOST_OF_ONE = 400  # bundle
BOUNDS = [1e-5 * 2 ** (step / 4) for step in range(90)]  # seconds, up to about a minute
COUNT, SECONDS, ERRORS, SKIPPED = range(4)
TIMEOUTS, DENIED, HITS = range(4, 7)
BUCKETS = 7  # of monitoring alone: where its histogram begins
MAX_USERS = 10_000

Cell = list[float]  # executions, seconds, errors, skipped, then what some kinds count beside that


class Place(NamedTuple):
    """Whose interceptor it is."""

    bundle: str
    service: str
    endpoint: str
    name: str


_cells: dict[Place, Cell] = {}
_of: Counter[str] = Counter()  # cells of each bundle
_users: dict[str, set[str]] = {}  # by bundle: who called since they were last told


def cell(place: Place, *, histogram: bool = False, told: bool = True) -> Cell:
    """The same one for the same interceptor, also when its bundle was loaded anew; nobody sees one that is not told."""
    found = _cells.get(place)
    if found is None or not told:
        found = [0.0] * (BUCKETS + (len(BOUNDS) + 1 if histogram else 0))
        if told and len(_cells) < MOST and _of[place.bundle] < MOST_OF_ONE:
            _cells[place] = found
            _of[place.bundle] += 1
    return found


def clear() -> None:
    """Forget everything that was counted so far."""
    for known in (_cells, _of, _users):
        known.clear()


def users(bundle: str) -> set[str]:
    return _users.setdefault(bundle, set())


def take_users() -> dict[str, list[str]]:
    """Who called since the last time, by bundle; then forgotten here."""
    taken = {bundle: list(names) for bundle, names in _users.items() if names}
    for bundle, names in taken.items():
        _users[bundle].difference_update(names)
    return taken


def snapshot() -> list[list[Any]]:
    return [[*place, *counted(found)] for place, found in list(_cells.items()) if counted(found)[COUNT]]


class Pace:
    """Calls in a second to the monitored endpoints of each bundle, over the last few looks."""

    def __init__(self, looks: int = 6) -> None:
        self.looks: deque[tuple[float, Counter[str]]] = deque(maxlen=looks)

    def look(self, now: float) -> dict[str, float]:
        counts: Counter[str] = Counter()
        for place, found in list(_cells.items()):
            if len(found) > BUCKETS:
                counts[place.bundle] += int(sum(found[BUCKETS:]))
        self.looks.append((now, counts))
        then, before = self.looks[0]
        if now <= then:
            return {}
        return {bundle: (count - before[bundle]) / (now - then) for bundle, count in counts.items()}


def counted(found: Cell) -> Cell:
    """With the executions of those that count by their histogram."""
    return [sum(found[BUCKETS:]), *found[1:]] if len(found) > BUCKETS else found


def merged(rows: Iterable[list[Any]]) -> dict[Place, Cell]:
    """Rows of several processes together."""
    found: dict[Place, Cell] = {}
    for bundle, service, endpoint, name, *numbers in rows:
        place = Place(bundle, service, endpoint, name)
        before = found.get(place, [0.0] * len(numbers))
        if len(before) == len(numbers):
            found[place] = [a + b for a, b in zip(before, numbers, strict=True)]
    return found


def metrics(found: Cell) -> dict[str, float]:
    """As `getMetrics()` tells them; averageTime in milliseconds, successRate in per cent."""
    count = counted(found)[COUNT]
    return {
        "totalExecutions": int(count),
        "averageTime": round(1000 * found[SECONDS] / count, 4) if count else 0.0,
        "errorCount": int(found[ERRORS]),
        "successRate": round((1 - found[ERRORS] / count) * 100, 2) if count else 100.0,
        "skipped": int(found[SKIPPED]),
        "hits": int(found[HITS]),
    }


def dashboard(found: Mapping[Place, Cell], pace: float) -> dict[str, float]:
    """The figures of a bundle's monitored endpoints together."""
    monitored = [counted(one) for place, one in found.items() if place.name == "monitoring"]
    caches = [one for place, one in found.items() if place.name == "cache"]
    sums = [sum(column) for column in zip(*monitored, strict=False)] or [0.0] * (BUCKETS + len(BOUNDS) + 1)
    count, asked = sums[COUNT], sum(one[COUNT] for one in caches)
    share = (lambda part: round(part / count, 4)) if count else (lambda part: 0.0)
    buckets = [int(number) for number in sums[BUCKETS:]]
    return {
        "totalExecutions": int(count),
        "requestsPerSecond": round(pace, 3),
        "averageResponseTime": round(1000 * sums[SECONDS] / count, 3) if count else 0.0,
        "p95ResponseTime": quantile(buckets, 0.95),
        "p99ResponseTime": quantile(buckets, 0.99),
        "errorRate": share(sums[ERRORS]),
        "timeoutRate": share(sums[TIMEOUTS]),
        "authFailureRate": share(sums[DENIED]),
        "cacheHitRate": round(sum(one[HITS] for one in caches) / asked, 4) if asked else 0.0,
    }


def quantile(buckets: list[int], share: float) -> float:
    """Milliseconds that so many of the calls did not exceed: the upper end of their bucket."""
    wanted = share * sum(buckets)
    at = next((at for at, seen in enumerate(accumulate(buckets)) if seen >= wanted), 0)
    return round(1000 * BOUNDS[min(at, len(BOUNDS) - 1)], 3) if wanted else 0.0
