"""The value of one metric over a window, and what it means for the goal.

A signal that the service sends itself wins over ours: its mean is compared (for `errors`, its sum). Ours are
- latency: the 95th percentile of the milliseconds of the service's calls;
- successRate: the share of its calls that neither failed nor were answered 5xx;
- availability, uptime: of the five-second spans with calls, the share in which the service answered every one
  itself (no error, timeout or refusal; an answer of its own counts, whatever its status);
- errors: how many of its calls failed or were answered 5xx;
- overrun, a signal of the platform's own, is never taken for the count of failures.
Anything else (consistency, security, custom) is known only by its signal. Without calls or samples: None.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from bundles.goals import Metric
from runtime import quantile
from runtime.models import Bucket
from runtime.signals import KEPT, WIDTH

OVERRUN = "overrun"  # what a run of an intent sends that took longer than its expectedDuration
AT_RISK = 0.1  # the last tenth of the way to the threshold
Rows = list[tuple[str, int, int, int, int, float, dict[str, int]]]
COLUMNS = ("signal", "second", "count", "errors", "down", "total", "histogram")


@dataclass(frozen=True, slots=True)
class Window:
    """Unix seconds; buckets that reach into it count whole."""

    start: float
    end: float

    @classmethod
    def of(cls, metric: Metric, since: float, now: float) -> "Window | None":
        """The last `window` seconds, but none before `delay` seconds after the start; None until then."""
        begin = now - min(metric.window_s, KEPT)
        if metric.delay_s:
            begin = max(begin, since + metric.delay_s)
        return cls(begin, now) if begin < now else None


def value(rows: "QuerySet[Bucket]", metric: Metric, window: Window) -> float | None:
    """``rows`` are the service's buckets."""
    inside = rows.filter(second__gt=window.start - WIDTH, second__lte=window.end)
    wanted = inside.filter(Q(signal=metric.signal) | Q(signal=""))
    found: Rows = list(wanted.values_list(*COLUMNS))
    own = [row for row in found if row[0]]
    if own:
        return sampled(own, metric)
    if metric.signal == OVERRUN:
        return 0.0 if found and metric.kind == "errors" else None
    return measured(found, metric.kind) if found else None


def sampled(rows: Rows, metric: Metric) -> float:
    total = sum(row[5] for row in rows)
    return total if metric.kind == "errors" else total / sum(row[2] for row in rows)


def measured(rows: Rows, kind: str) -> float | None:
    calls, failed = sum(row[2] for row in rows), sum(row[3] for row in rows)
    if kind == "latency":
        return quantile.quantile(quantile.merge(row[6] for row in rows), 0.95)
    if kind == "successRate":
        return 1 - failed / calls
    if kind in ("availability", "uptime"):
        return available((row[1], row[4]) for row in rows)
    return float(failed) if kind == "errors" else None


def available(spans: Iterable[tuple[int, int]]) -> float:
    down: dict[int, int] = {}
    for second, failures in spans:
        down[second] = down.get(second, 0) + failures
    return sum(not failures for failures in down.values()) / len(down)


def reaches(metric: Metric, found: float) -> bool:
    aim = metric.value
    return {
        "<": found < aim,
        "<=": found <= aim,
        ">": found > aim,
        ">=": found >= aim,
        "=": found == aim,
    }[metric.op]


def state(metric: Metric, found: float) -> str:
    """met, at risk or breached.

    At risk is what still reaches the threshold, but within the last tenth of the way to it. That way begins at
    0 for a limit, at 1 (perfect) for a demanded share, else a whole threshold above what is demanded.
    """
    if not reaches(metric, found):
        return "breached"
    aim = metric.value
    share = metric.op in (">", ">=") and metric.unit == "fraction"
    way = 1 - aim if share else aim
    near = metric.op != "=" and abs(found - aim) < way * AT_RISK
    return "at risk" if near else "met"


def shown(number: float, unit: str) -> str:
    if unit == "fraction":
        return f"{number * 100:.6g} %"
    digits = f"{number:.4g}" if number < 10_000 else f"{number:.0f}"
    return f"{digits} ms" if unit == "ms" else digits


def target(metric: Metric) -> str:
    op = {"<=": "≤", ">=": "≥"}.get(metric.op, metric.op)
    return f"{op} {shown(metric.value, metric.unit)}"
