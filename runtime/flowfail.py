"""Failures of steps: what counts as one, who takes care of it, and how it is told."""

from typing import TYPE_CHECKING, Any

import orjson

from runtime.flowframe import Frame, Message, crowded
from runtime.flowneeds import Failure

if TYPE_CHECKING:
    from runtime.flowplan import Node
    from runtime.flowpump import Pump


def is_dead(frame: Frame | None) -> bool:
    while frame is not None:
        if frame.dead:
            return True
        frame = frame.parent
    return False


def is_caught(frame: Frame | None, failure: Failure) -> bool:
    """Whether somebody on the way to the root has a use for a failure: another try, an error edge, an agent."""
    while frame is not None and frame.owner is not None:
        held = frame.owner.message
        if held is None:
            return True
        if held.node.error or (failure.retryable and held.attempt < held.node.retries):
            return True
        frame = frame.parent
    return False


def pin(pump: "Pump", node: "Node") -> bytes | None:
    """The output that this node of the run's own flow shall have without being run."""
    if node.plan is not pump.plan or node.kind in ("branch", "loop", "join", "output", "filter"):
        return None
    return pump.pinned.get(node.name.lower())


def said(value: Any) -> str:
    """An error as a function tells it: a text, {message, …}, or any other JSON."""
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        value = value["message"]
    return (value if isinstance(value, str) else orjson.dumps(value).decode())[:2000]


def place(node: "Node", failure: Failure) -> str:
    """The failure's text with the node's name, once."""
    if failure.message.startswith("node “"):
        return failure.message
    return f"node “{node.name}”: {failure.message}"


def told(failure: Failure, message: Message, payload: bytes) -> bytes:
    """What an error edge carries; a payload that nobody can read is left out."""
    payload = b"null" if crowded(payload) else payload
    about = {**failure.value(), "node": message.node.name, "attempt": message.attempt + 1}
    return orjson.dumps({"error": about, "payload": orjson.Fragment(payload)})
