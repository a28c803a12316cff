"""What every template has: range, cycler, joiner."""

from typing import Any

from bundles.nunjucks import values
from bundles.nunjucks.limits import Run
from bundles.nunjucks.undefined import UNDEFINED, Function


def range_of(run: Run, arguments: list[Any]) -> list[Any]:
    start, stop, step = (*arguments, UNDEFINED, UNDEFINED, UNDEFINED)[:3]
    if stop is UNDEFINED:
        start, stop, step = 0, start, 1
    step = step if values.truthy(step) else 1
    if type(start) is int and type(stop) is int and type(step) is int and step > 0:
        run.spend(max(0, (stop - start) // step + 1))
        return list(range(start, stop, step))
    at = start
    up = values.less(run, 0, step)
    made: list[Any] = []
    while values.less(run, at, stop) if up else values.less(run, stop, at):
        run.spend(1)
        made.append(at)
        at = values.add(run, at, step)
    return made


def cycler(run: Run, arguments: list[Any]) -> dict[str, Any]:
    at = -1

    def reset(run: Run, _: list[Any]) -> Any:
        nonlocal at
        at = -1
        made["current"] = None
        return UNDEFINED

    def following(run: Run, _: list[Any]) -> Any:
        nonlocal at
        at = at + 1 if at + 1 < len(arguments) else 0
        made["current"] = arguments[at] if arguments else UNDEFINED
        return made["current"]

    made: dict[str, Any] = {
        "current": None,
        "reset": Function("reset", reset),
        "next": Function("next", following),
    }
    return made


def joiner(run: Run, arguments: list[Any]) -> Function:
    separator = arguments[0] if arguments and values.truthy(arguments[0]) else ","
    used = False

    def join(run: Run, _: list[Any]) -> Any:
        nonlocal used
        before, used = used, True
        return separator if before else ""

    return Function("joiner", join)


GLOBALS: dict[str, Any] = {
    "range": Function("range", range_of),
    "cycler": Function("cycler", cycler),
    "joiner": Function("joiner", joiner),
}
