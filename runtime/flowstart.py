"""How a run of a flow begins, and the world that its pump is in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from runtime.flowplan import Node, Plan


class World(Protocol):
    """What a pump finds around it."""

    plans: Mapping[str, Plan]
    vars: Mapping[str, Any]
    secrets: Mapping[str, str]
    links: str  # what stands before the token that ends a wait; empty where there are no links

    def call(self, node: Node, request: bytes, step: int) -> tuple[bytes, int] | None:
        """The answer of a function and its fuel; None when it needs what is not here, Refused when it failed."""

    def now(self) -> float:
        """Unix seconds."""


@dataclass(slots=True)
class Start:
    """How a run begins: at its entry with a payload, or at one node alone, or with outputs that are given."""

    execution: str
    tenant: str
    request: bytes = b"null"  # the envelope that came in: what expressions see as trigger
    payload: bytes = b"null"
    at: str = ""
    only: bool = False
    pinned: Mapping[str, Any] = field(default_factory=dict)
    created_us: int = 0  # when it was taken on; the same after a restart
