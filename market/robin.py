"""Free entries in turn: the instance that has been longest without one is next (R8)."""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from market.action import Action, Instance
from market.result import Source
from market.workbench import Workbench

Turn = tuple[int, int, Instance]  # round of its last free entry, place of its first action, itself


def share(bench: Workbench, actions: Iterable[Action], source: Source, *, entries: int | None = None) -> None:
    """Serves so many entries one by one (None: all that there is room for) from actions in their order."""
    lines = waiting(bench, actions)
    turns = [turn(bench, line[-1]) for line in lines.values()]
    heapify(turns)
    remaining = len(bench.line) * bench.settings.free_cu if entries is None else entries
    while turns and remaining > 0:
        instance = heappop(turns)[2]
        if one_entry(bench, lines[instance], source):
            remaining -= 1
            if lines[instance] and bench.free[instance] < bench.settings.free_cu:
                heappush(turns, turn(bench, lines[instance][-1]))


def waiting(bench: Workbench, actions: Iterable[Action]) -> dict[Instance, list[Action]]:
    """Each instance's unfinished actions, the first of them at the end of the list."""
    lines: dict[Instance, list[Action]] = {}
    for action in actions:
        if bench.left[action.number]:
            lines.setdefault(action.instance, []).append(action)
    for line in lines.values():
        line.reverse()
    return lines


def turn(bench: Workbench, first: Action) -> Turn:
    instance = first.instance
    return bench.since[instance], bench.rank[first.number], instance


def one_entry(bench: Workbench, line: list[Action], source: Source) -> bool:
    """An entry is never split and nothing overtakes: what does not fit ends the instance's round (R5)."""
    action = line[-1]
    limit = bench.settings.free_cu
    entry = min(limit, bench.left[action.number])
    used = bench.free.get(action.instance, 0)
    if used + entry > limit:
        return False
    bench.serve(action, entry, source)
    bench.free[action.instance] = used + entry
    bench.since[action.instance] = bench.now
    if not bench.left[action.number]:
        line.pop()
    return True
