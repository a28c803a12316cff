"""Doors that every tenant has beside its routes: asked only when no route of the tenant matches."""

from collections.abc import Awaitable, Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from runtime.exchange import Asked, Given

if TYPE_CHECKING:
    from runtime.gateway import Gateway
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


def find(path: str) -> "Door | None":
    """The door that a path after the tenant leads to."""
    name = path[1:].partition("/")[0]
    return door(DOORS[name]) if name in DOORS else None


@cache
def door(module: str) -> "Door":
    respond: Door = import_module(module).respond
    return respond


def segments(path: str) -> tuple[str, ...]:
    return tuple(path[1:].removesuffix("/").split("/"))
