"""Latencies as a sparse histogram with eight steps to each doubling: a quantile is off by at most 4.5 %."""

import math
from collections.abc import Iterable, Mapping

STEPS = 8


def step(microseconds: int) -> str:
    return str(int(math.log2(microseconds) * STEPS)) if microseconds > 1 else "0"


def merge(histograms: Iterable[Mapping[str, int]]) -> dict[int, int]:
    merged: dict[int, int] = {}
    for histogram in histograms:
        for key, count in histogram.items():
            merged[int(key)] = merged.get(int(key), 0) + count
    return merged


def quantile(merged: Mapping[int, int], share: float) -> float | None:
    """Milliseconds that ``share`` of the calls did not exceed; the middle of the step it falls into."""
    wanted = share * sum(merged.values())
    seen = 0
    for key in sorted(merged):
        seen += merged[key]
        if seen >= wanted:
            return 2 ** ((key + 0.5) / STEPS) / 1000
    return None
