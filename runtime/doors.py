"""Doors that every tenant has beside its routes: asked only when no route of the tenant matches."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from runtime.exchange import Asked, Given

if TYPE_CHECKING:
    from runtime.gateway import Gateway
    from runtime.hot import Known
    from runtime.live import Live

# Tenant, the segments of the path (the first is the door's name), request: the answer, or None when there is no
# such thing at this door. The caller is not known yet: each door lets in whom it wants (``gateway.known``).
Door: TypeAlias = "Callable[[Live, tuple[str, ...], Asked, Gateway], Awaitable[Given | None]]"
# By first segment (bundles.paths.RESERVED): the module with `respond`.
DOORS = {
    "prompts": "runtime.promptdoor",
    "forms": "runtime.forms",
    "graphql": "runtime.graphql.door",
    "openapi.json": "runtime.openapidoor",
}
QUICK = {"prompts": "runtime.promptnow"}


def find(path: str) -> "Door | None":
    """The door that a path after the tenant leads to."""
    name = path[1:].partition("/")[0]
    return door(DOORS[name]) if name in DOORS else None


@cache
def door(module: str) -> "Door":
    respond: Door = import_module(module).respond
    return respond


def is_quick(path: str) -> bool:
    """Whether a door may answer without waiting, when what it is asked allows."""
    return path[1:].partition("/")[0] in QUICK


def now(path: str) -> "Callable[..., Given | None]":
    """How a quick door answers, as ``Gateway.now``."""
    made: Callable[..., Given | None] = import_module(QUICK[path[1:].partition("/")[0]]).now
    return made


def heat(path: str) -> "Callable[..., Known | None]":
    """What a quick door remembers of a head, as ``Gateway.heat``."""
    made: Callable[..., Known | None] = import_module(QUICK[path[1:].partition("/")[0]]).heat
    return made


def segments(path: str) -> tuple[str, ...]:
    return tuple(path[1:].removesuffix("/").split("/"))
