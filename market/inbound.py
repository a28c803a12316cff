"""What processes tell the leader, checked: a message that makes no sense is dropped, whole or in part (issue 4, §6)."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import orjson

from market.action import CLASSES, FALLBACKS
from market.wire import Message, Waiting

MOST_CU = 10**9
MOST_CREDITS = 10**12
LATEST = 1 << 53  # of times in ms and of numbers of rounds
NAME = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)
WHOLE = {
    "need": (1, MOST_CU),
    "left": (0, MOST_CU),
    "submitted": (0, LATEST),
    "deadline": (0, LATEST),
    "max_wait": (0, LATEST),
    "priority": (0, len(CLASSES) - 1),
    "asof": (0, LATEST),
    "spent": (0, MOST_CREDITS),
}
NAMES = ("id", "tenant", "service", "bundle")
FLAGS = ("rerun", "degraded", "api", "stranger")
NUMBERS = {"idle": "n", "here": "last"}
log = logging.getLogger(__name__)


def read(data: bytes) -> Message | None:
    """The message, or None when it is none."""
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError:
        message = None
    if why := fault(message):
        refuse(data, why)
        return None
    known: Message = message
    return known


def fault(message: Any) -> str:
    if not isinstance(message, dict):
        return "is no message"
    if not named(message.get("p")):
        return "says not who sends it"
    kind = message.get("t")
    if kind == "submit" and not whole(message.get("term", 0), 0, LATEST):
        return "is of no term"
    if kind in ("submit", "end"):
        return "" if isinstance(message.get("a"), list) else "has no list of actions"
    if kind == "ask":
        return "" if isinstance(message.get("of"), list) else "asks for nobody"
    if kind in ("idle", "here"):
        return "" if whole(message.get(NUMBERS[kind]), 0, LATEST) else "has no number"
    return "is of an unknown kind"


def refuse(what: Any, why: str) -> None:
    log.warning("a message to the market's leader %s and is dropped: %.200r", why, what)


def submitted(message: Message) -> Iterator[Waiting]:
    for given in message["a"]:
        action = waiting(given)
        if action is None:
            refuse(given, "has an action that cannot be")
        else:
            yield action


def waiting(given: Any) -> Waiting | None:
    if not isinstance(given, dict):
        return None
    try:
        action = Waiting(**given)
    except TypeError:
        return None
    return action if possible(action) else None


def possible(action: Waiting) -> bool:
    fields = action._asdict()
    return (
        all(named(fields[name]) for name in NAMES)
        and all(whole(fields[name], least, most) for name, (least, most) in WHOLE.items())
        and all(type(fields[name]) is bool for name in FLAGS)
        and action.left <= action.need
        and action.fallback in FALLBACKS
        and (action.ceiling is None or whole(action.ceiling, 0, MOST_CREDITS))
        and (action.auto_bid is None or type(action.auto_bid) is bool)
    )


def over(message: Message) -> Iterator[tuple[str, int]]:
    """Ids and the CU they used, of actions that are over."""
    for given in message["a"]:
        if isinstance(given, list) and len(given) == 2 and named(given[0]) and whole(given[1], 0, LATEST):
            yield given[0], given[1]
        else:
            refuse(given, "ends what is no action")


def named(value: Any) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most
