"""The figures of a simulated day as a table for people."""

from collections.abc import Iterator, Mapping
from typing import Any

HEAD = (
    "",
    "actions",
    "mean wait",
    "p50",
    "p95",
    "p99",
    "longest",
    "Jain",
    "revenue",
    "capacity used",
    "busiest round",
)
WAIT = ("actions", "mean", "p50", "p95", "p99", "longest")


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Aligned columns; below each discipline its classes, and what served the actions."""
    about = told["population"]
    yield (
        f"{about['tenants']:,} tenants, {about['rounds']:,} rounds with rushes of {about['rush']} at {about['peak']} times "
        f"the capacity of {about['machines']} machine{'s' * (about['machines'] > 1)}, seed {about['seed']}; waits in rounds"
    )
    rows = [list(HEAD), *(row for name, one in told["disciplines"].items() for row in described(name, one))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        cells = (text.rjust(width) for text, width in zip(row[1:], widths[1:], strict=True))
        yield "  ".join((row[0].ljust(widths[0]), *cells)).rstrip()
    yield from notes(told)


def described(name: str, one: Mapping[str, Any]) -> Iterator[list[str]]:
    whole = [
        f"{one['jain']:.2f}",
        f"{one['revenue']:,}",
        f"{one['capacity_used']:.0%}",
        f"{one['busiest_round']:.0%}",
    ]
    yield [name, *waited(one), *whole]
    parts = dict(one["classes"])
    if len(one["sources"]) > 1:
        parts |= {f"served: {source}": waits for source, waits in one["sources"].items()}
    for part, waits in parts.items():
        yield [f"  {part}", *waited(waits), *[""] * len(whole)]


def waited(waits: Mapping[str, Any]) -> list[str]:
    return [f"{waits[key]:,.1f}" if key == "mean" else f"{waits[key]:,}" for key in WAIT]


def notes(told: Mapping[str, Any]) -> Iterator[str]:
    market = told["disciplines"].get("market")
    if market:
        yield f"market: {market['bidding_rounds']:,} rounds with a price, the highest {market['highest_price']:,} credits"
    for name, one in told["disciplines"].items():
        if one["expired"] or one["left"]:
            yield f"{name}: {one['expired']:,} gave up at their deadline, {one['left']:,} were not served in the end"
