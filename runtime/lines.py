"""Log lines as data: what travels, what JSON, SSE and websockets show, and the recent ones from the rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db.models import QuerySet

from runtime.models import CHANGES, Execution

MAX_TEXT = 8192
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DONE = frozenset(state for state, later in CHANGES.items() if not later)
RELATIVE = 10**11  # a time in milliseconds below this cannot be Unix time: it counts from the run's start


class Line(NamedTuple):
    """One line; ``n`` tells lines of one run and one millisecond apart, so each has its place."""

    at: int  # Unix milliseconds
    level: str
    service: str
    name: str
    execution: str
    text: str
    n: int

    def shown(self) -> dict[str, Any]:
        return {
            "at": rfc3339(self.at),
            "level": self.level,
            "service": self.service,
            "name": self.name,
            "execution": self.execution,
            "text": self.text,
        }

    @property
    def said(self) -> tuple[str, str, str]:
        """What makes it the same line, whichever way it came."""
        return self.execution, self.level, self.text

    @property
    def place(self) -> tuple[int, str, int]:
        return self.at, self.execution, self.n


@dataclass
class Batch:
    """Lines that arrived together; encoded once, however many watchers there are."""

    lines: list[Line]
    left_out: int = 0
    status: str | None = None
    count: int = field(init=False)

    def __post_init__(self) -> None:
        self.count = len(self.lines) + self.left_out

    @cached_property
    def json(self) -> str:
        return orjson.dumps({"lines": [line.shown() for line in self.lines]}).decode()

    @cached_property
    def said(self) -> frozenset[tuple[str, str, str]]:
        return frozenset(line.said for line in self.lines)


def rfc3339(milliseconds: int) -> str:
    text = datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def clean(text: str) -> str:
    """``text`` as any encoder takes it, and no longer than a line may be."""
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]} … ({len(text) - MAX_TEXT} characters more)"
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def of_run(run: Execution) -> list[Line]:
    """The lines that were recorded with a run, and the line that says how it ended."""
    start = milliseconds(run.started or run.created)
    said = [(absolute(at, start), level, text) for at, level, text in run.logs]
    if run.completed and run.status in DONE:
        level, text = ending(run.status, run.http_status, run.units_used, run.duration_us, run.error)
        said.append((milliseconds(run.completed), level, text))
    lines: list[Line] = []
    for at, level, text in said:
        n = lines[-1].n + 1 if lines and lines[-1].at == at else 0
        lines.append(Line(at, level, run.service, run.name, str(run.pk), clean(text), n))
    return lines


def absolute(at: int, start_ms: int) -> int:
    return int(at) if at > RELATIVE else start_ms + int(at)


def ending(status: str, http: int | None, units: int, duration_us: int, error: str) -> tuple[str, str]:
    """Level and text of a run's last line, the same live and from its row."""
    facts = " ".join(str(part) for part in (status, http) if part)
    text = f"{facts} · {units} CU · {duration_us / 1000:.1f} ms"
    if status == "success":
        return "info", text
    return "error", f"{text} · {error}" if error else text


def recent(bundle: UUID, limit: int, *, after_ms: int = 0) -> list[Line]:
    """The last lines of a bundle's recorded runs, oldest first."""
    rows = runs_of(bundle)
    if after_ms:
        rows = rows.filter(completed__gte=EPOCH + timedelta(milliseconds=after_ms))
    return page(rows, limit)[0][-limit:]


def runs_of(bundle: UUID) -> "QuerySet[Execution]":
    return Execution.objects.filter(bundle_id=bundle).defer("input", "output", "steps").order_by("-id")


def page(rows: "QuerySet[Execution]", limit: int) -> tuple[list[Line], UUID | None]:
    """Lines of whole runs until there are ``limit``, oldest first; the last run read if there may be more."""
    lines: list[Line] = []
    older = None
    for count, run in enumerate(rows[:limit], 1):
        lines += of_run(run)
        if len(lines) >= limit or count == limit:
            older = run.pk
            break
    return sorted(lines, key=lambda line: line.place), older


class Mark(NamedTuple):
    """A place in one stream, as an SSE client sends it back in Last-Event-ID."""

    stream: str
    at: int
    execution: str
    n: int

    @classmethod
    def parse(cls, text: str) -> "Mark | None":
        """The mark that ``text`` is, or None; everything in it is checked, it comes from outside."""
        parts = text.split(".")
        if len(text) > 120 or len(parts) != 4 or not (parts[1] + parts[3]).isdecimal():
            return None
        try:
            return cls(UUID(parts[0]).hex, int(parts[1]), str(UUID(parts[2])), int(parts[3]))
        except ValueError:
            return None

    @property
    def place(self) -> tuple[int, str, int]:
        return self.at, self.execution, self.n


def event(stream: str, line: Line) -> bytes:
    """One server-sent event; JSON escapes every line break, so no log line can end it or begin another."""
    mark = f"{stream}.{line.at}.{UUID(line.execution).hex}.{line.n}"
    return f"id: {mark}\nevent: line\ndata: ".encode() + orjson.dumps(line.shown()) + b"\n\n"


def note(name: str, data: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: ".encode() + orjson.dumps(data) + b"\n\n"


def after(lines: Iterable[Line], mark: "Mark | None") -> list[Line]:
    return [line for line in lines if mark is None or line.place > mark.place]
