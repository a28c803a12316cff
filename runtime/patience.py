"""Figures that took long are shown for a while, so that watchers never keep the database busy."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

SLOW_S = 0.1
PATIENCE = 30  # kept for so many times as long as they took
MOST_KEPT = 1000


class Patient(Generic[Key, Value]):
    """``work(key)``, remembered while it is too expensive to be asked again at once."""

    def __init__(self, work: Callable[[Key], Value]) -> None:
        self.work = work
        self.kept: dict[Key, tuple[float, Value]] = {}

    def __call__(self, key: Key) -> Value:
        known = self.kept.get(key)
        began = time.monotonic()
        if known is not None and known[0] > began:
            return known[1]
        found = self.work(key)
        spent = time.monotonic() - began
        if len(self.kept) > MOST_KEPT:
            self.kept.clear()
        if spent > SLOW_S:
            self.kept[key] = (time.monotonic() + spent * PATIENCE, found)
        return found
