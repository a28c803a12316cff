"""What interceptors cost: a chain of none, of one and of ten, invokers, a kept answer, and what they leave behind."""

import json
from collections.abc import Mapping, Sequence

from tests.bench.single import told
from tests.bench.table import Goal, Row, ends, middle

EACH = ("monitoring", "logging", "compression", "timeout", "auth", "filter", "transform")
RATE = "calls/s"
US = "µs"
LEFT = "MB per 100,000 calls"
Found = Mapping[str, Sequence[float]]


def measure(*, quick: bool) -> list[Row]:
    rounds, calls = ("3", "100000") if quick else ("9", "300000")
    found: Found = json.loads(told("tests.bench.chaincost", rounds, calls, seconds=300).splitlines()[-1])
    rows = [
        rate(
            "interceptors: an empty chain", found["empty"], 3_000_000, "the call itself, which does nothing"
        ),
        rate("interceptors: ten", found["ten"], 300_000, "each of the built-in ones, with metrics"),
    ]
    rows += [each(name, found) for name in EACH]
    rows += [
        rate("invoker: filter", found["filter"], 2_000_000, "around a callable, with metrics"),
        rate("invoker: transform", found["transform"], 2_000_000, "around a callable, with metrics"),
        rate("invoker: filter, CEL", found["filter, CEL"], None, "request.body.valid"),
        rate("invoker: transform, CEL", found["transform, CEL"], None, "makes an object"),
    ]
    rows += [hit(name, found[name]) for name in found if name.startswith("memoized")]
    again = found["auth, a signed token again"]
    rows.append(Row("interceptor: auth, a signed token again", {US: middle(again)}, ends={US: ends(again)}))
    left = [value / 1e6 for value in found["growth"]]
    return [*rows, Row("interceptors: growth of memory", {LEFT: middle(left)}, (Goal(LEFT, 1.0),))]


def rate(name: str, microseconds: Sequence[float], least: int | None, note: str) -> Row:
    speeds = [1e6 / each for each in microseconds]
    goals = () if least is None else (Goal(RATE, least, least=True),)
    return Row(name, {RATE: middle(speeds)}, goals, note)


def each(name: str, found: Found) -> Row:
    """What one adds to the call that it wraps."""
    added = [one - none for one, none in zip(found[name], found["empty"], strict=True)]
    return Row(
        f"interceptor: {name}",
        {US: middle(added)},
        (Goal(US, 0.3),),
        "added to a call",
        ends={US: ends(added)},
    )


def hit(name: str, microseconds: Sequence[float]) -> Row:
    """The goal is for a key that somebody else makes, as memoize of the seed has it."""
    goals = (Goal(US, 1.0),) if name == "memoized hit" else ()
    return Row(f"interceptor: {name}", {US: middle(microseconds)}, goals, ends={US: ends(microseconds)})
