"""Rows of the bench: what was measured, the goal, whether it was met; as text, JSON and Markdown. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

HEADS = ("what", "measured", "goal", "verdict", "× node", "× raw ASGI", "p50 ms", "p99 ms", "CPU µs", "note")
NODE, ASGI, P50, P99, CPU = HEADS[4:9]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that must not be above its limit, or with ``least`` not below it."""

    figure: str
    limit: float
    least: bool = False

    def met(self, figures: Mapping[str, float]) -> bool:
        value = figures.get(self.figure)
        if value is None or value != value:  # nothing measured, or not a number
            return False
        return value >= self.limit if self.least else value <= self.limit

    def __str__(self) -> str:
        number = f"{self.limit:.2f}" if isinstance(self.limit, float) else f"{self.limit:,}"
        return f"{'≥' if self.least else '≤'} {number} {self.figure}"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``figures`` are named by their unit, the first one is what the row is about."""

    name: str
    figures: Mapping[str, float]
    goals: tuple[Goal, ...] = ()
    note: str = ""
    error: str = ""
    ends: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # lowest and highest of the rounds

    @property
    def verdict(self) -> str:
        if self.error:
            return "failed"
        if not self.goals:
            return "–"
        return "met" if all(goal.met(self.figures) for goal in self.goals) else "missed"

    @property
    def measured(self) -> str:
        if self.error:
            return "–"
        unit, value = next(iter(self.figures.items()))
        return f"{number(value)} {unit}"


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def ratios(mine: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """Round by round: what slows a machine down for a while then slows both sides."""
    return [a / b for a, b in zip(mine, theirs, strict=True) if b > 0]


def middle(values: Sequence[float]) -> float:
    return median(values) if values else float("nan")


def ends(values: Sequence[float]) -> tuple[float, float]:
    return (min(values), max(values)) if values else (float("nan"), float("nan"))


def cells(row: Row) -> tuple[str, ...]:
    goal = ", ".join(str(goal) for goal in row.goals) or "–"
    extra = tuple(f"{row.figures[key]:.2f}" if key in row.figures else "" for key in HEADS[4:9])
    return row.name, row.measured, goal, row.verdict, *extra, row.error or note(row)


def note(row: Row) -> str:
    """The row's own words, and how far the rounds lay apart."""
    spread = [f"{key} {low:.2f} to {high:.2f}" for key, (low, high) in row.ends.items()]
    return "; ".join(part for part in (row.note, *spread) if part)


def text(rows: Sequence[Row]) -> str:
    """Columns for a terminal; the note goes last, however long it is."""
    lines = [HEADS, *(cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(HEADS) - 1)]
    return "\n".join(
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]]
        ).rstrip()
        for line in lines
    )


def markdown(rows: Sequence[Row]) -> str:
    """The table without its notes, and those as a list below it: pages are narrower than terminals."""
    columns = len(HEADS) - 1
    marks = ("---", "---:", "---", "---", *("---:",) * (columns - 4))
    lines = [HEADS[:columns], marks, *(cells(row)[:columns] for row in rows)]
    notes = [f"- {row.name.strip()}: {row.error or note(row)}" for row in rows if row.error or note(row)]
    return "\n".join(["| " + " | ".join(map(escaped, line)) + " |" for line in lines] + ["", *notes])


def escaped(cell: str) -> str:
    return cell.strip().replace("|", "\\|")


def as_json(rows: Sequence[Row], facts: Mapping[str, object]) -> str:
    listed = [{**asdict(row), "goals": [str(g) for g in row.goals], "verdict": row.verdict} for row in rows]
    return json.dumps({"machine": dict(facts), "rows": listed}, indent=2, ensure_ascii=False)
