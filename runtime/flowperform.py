"""Who does what a flow waits for: the performer of each kind of need, loaded when the first one comes."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from typing import Any

from runtime.flowneeds import Context, Need

PERFORMERS = {
    "http": "runtime.flowhttp",
    "llm": "runtime.llm",
    "agent": "runtime.agents",
    "prompt": "runtime.promptnode",
}


@cache
def performer(kind: str) -> Callable[[Need, Context], Awaitable[Any]]:
    perform: Callable[[Need, Context], Awaitable[Any]] = import_module(PERFORMERS[kind]).perform
    return perform
