"""What a flow waits for, and what those who do it for it are given: the only types engine and performers share.

A performer is `async def perform(need: Need, context: Context) -> bytes | Failure`, found by the need's kind:
http → runtime/flowhttp.py, llm → runtime/llm.py, agent → runtime/agents.py, prompt → runtime/promptnode.py. It
returns JSON bytes, the payload that goes on from the node. What a tenant's configuration or the other side did
wrong is a Failure, never an exception; it may be cancelled at any await. It is not retried by itself: the node's
`retries` are the engine's.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bundles.flow import Flow, Listener
from runtime.live import LiveBundle

Kind = Literal["http", "llm", "agent", "prompt", "wasm", "memory", "sensor", "timer", "wait"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a step gave no answer. Codes: routing, validation, timeout, handler, budget, not-available, egress, status."""

    code: str
    message: str
    retryable: bool = False
    retry_after_s: float | None = None

    def value(self) -> dict[str, Any]:
        return {"code": self.code, "message": self.message}


@dataclass(slots=True)
class Need:
    """One thing that a step waits for. `options` are the node's `with`, every `${…}` in them filled in."""

    id: int
    kind: Kind
    node: str  # the listener's name
    step: int  # number of the step in its run; a repeated step keeps it
    payload: bytes  # JSON, what came to the node
    options: Mapping[str, Any]
    listener: Listener
    attempt: int = 0  # 0 is the first try
    thread: str = ""  # who shares a conversation: the run and the caller that waits
    sender: str = ""
    due: float | None = None  # of a timer or a wait: Unix seconds
    token: str = ""  # of a wait: what resumes it


@dataclass(slots=True)
class Tokens:
    """What a run may still spend on language models; checked before a call, counted after it."""

    left: int
    used: int = 0

    def spend(self, count: int) -> bool:
        """Count tokens; False when that was more than there were."""
        self.left -= count
        self.used += count
        return self.left >= 0


Load = Callable[[], Awaitable[bytes | None]]
Save = Callable[[bytes], Awaitable[None]]
CallPeer = Callable[[str, bytes, str], Awaitable["bytes | Failure"]]


@dataclass(slots=True)
class Context:
    """What a performer may know and use beside its need."""

    bundle: LiveBundle
    execution: str
    flow: Flow
    tokens: Tokens
    secret: Callable[
        [str], str | None
    ]  # by name, those the bundle may read; hosts: bundle.bound[name].may_go
    call_peer: (
        CallPeer  # sends a JSON payload to a peer of the node and waits for its answer (an agent's tools)
    )
    load: Load  # the context buffer of this node and thread (a conversation), gone when the run ends
    save: Save
    log: Callable[[str, str], None]  # level, text: a line in the run's log
    deadline: float = field(default_factory=lambda: time.monotonic() + 600)  # on time.monotonic()
    vars: Mapping[str, Any] = field(default_factory=dict)  # the tenant's and the bundle's variables
    fuel: int = 0  # what the run may still use for work of its own, such as rendering a prompt
    charge: Callable[[int], None] = lambda fuel: None  # it has used so much of it

    def idempotency_key(self, need: Need) -> str:
        return f"{self.execution}:{need.step}"
