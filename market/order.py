"""The order of actions: class, raised by age, then submission (R6, R7)."""

from collections.abc import Iterable
from operator import attrgetter

from market.action import CLASSES, Action

TOP = len(CLASSES) - 1
_number = attrgetter("number")


def level(action: Action, now: int, aging_rounds: int) -> int:
    """The class after aging: one step for each `aging_rounds` full rounds waited."""
    return min(TOP, action.priority + (now - action.submitted) // aging_rounds)


def ordered(actions: Iterable[Action], now: int, aging_rounds: int) -> list[Action]:
    """The most urgent first, within a class the oldest."""
    classes: tuple[list[Action], ...] = tuple([] for _ in CLASSES)
    for action in sorted(actions, key=_number):
        classes[TOP - level(action, now, aging_rounds)].append(action)
    return [action for same in classes for action in same]
