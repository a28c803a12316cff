"""Charts drawn by the server: numbers in, the paths of an SVG out; their words and tables are the templates'."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600.0, 100.0


@dataclass(frozen=True, slots=True)
class Chart:
    """Paths within a box of WIDTH × HEIGHT; `line` is the height of a limit, if it has one."""

    area: str
    edge: str
    top: int
    line: float | None = None
    last: int = 0
    peak: int = 0


def chart(values: Sequence[int], *, limit: int | None = None) -> Chart:
    """Steps, for a round's figure holds until the next one; a limit is always within the picture."""
    peak = max(values, default=0)
    top = nice(max(peak, limit or 0))
    edge = steps(values, top)
    area = f"{edge} V{HEIGHT:.0f} H0 Z" if edge else ""
    line = None if limit is None else height(limit, top)
    return Chart(area, edge, top, line, values[-1] if values else 0, peak)


def steps(values: Sequence[int], top: int) -> str:
    if not values:
        return ""
    width = WIDTH / len(values)
    parts = [f"M0 {height(values[0], top):.1f}"]
    before = values[0]
    for index, value in enumerate(values):
        if value != before:
            parts.append(f"H{index * width:.1f} V{height(value, top):.1f}")
            before = value
    return " ".join([*parts, f"H{WIDTH:.0f}"])


def height(value: int, top: int) -> float:
    return HEIGHT - value / top * HEIGHT


def nice(highest: int) -> int:
    """The top of the scale: 1, 2 or 5 times a power of ten, with some room above the highest."""
    if highest < 4:
        return 5
    power: int = 10 ** (len(str(highest)) - 1)
    return next(step * power for step in (1, 2, 3, 5, 8, 10, 20) if step * power >= highest * 1.05)
