"""An agent's tools: its peers, by names that providers accept, and what is told to the model of their answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from bundles.flow import Flow, Listener
from runtime.agentshape import schema
from runtime.flowneeds import Context, Failure
from runtime.llm import hidden, text
from runtime.llmtypes import Message, Tool, ToolCall

MAX_RESULT = 32 * 1024
MAX_DESCRIPTION = 1024
MAX_NAME = 64
SPOKEN: Mapping[str, Any] = {
    "type": "object",
    "properties": {"message": {"type": "string", "description": "What the other agent is told"}},
    "required": ["message"],
}
USUAL = {
    "output": "Ends the task and answers whoever asked; the arguments are the answer.",
    "http": "Calls a server of the flow's author.",
    "memory": "Looks into the memory of this flow.",
}


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool and the listener behind it."""

    tool: Tool
    listener: Listener

    @property
    def ends(self) -> bool:
        return self.listener.handler.builtin == "output"

    def payload(self, arguments: Mapping[str, Any]) -> bytes:
        """An agent is told a text; everything else gets the arguments as they are."""
        spoken = self.listener.handler.kind == "agent"
        return orjson.dumps(text(arguments.get("message", arguments)) if spoken else arguments)


def peers(flow: Flow, agent: Listener) -> dict[str, Peer]:
    """The tools of an agent by name. Sending to itself is what its rounds are, so it is no tool of its own."""
    found: dict[str, Peer] = {}
    names = [one.name for one in flow.listeners] if "*" in agent.peers else agent.peers
    for name in names:
        listener = flow.listener(name)
        if listener is None or listener.name == agent.name or listener.disabled:
            continue
        free = unique(re.sub(r"[^A-Za-z0-9_-]", "_", listener.name)[:MAX_NAME], found)
        spoken = listener.handler.kind == "agent"
        tool = Tool(free, described(listener), SPOKEN if spoken else schema(listener.description))
        found[free] = Peer(tool, listener)
    return found


def unique(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 2, name
    while free in taken:
        free = f"{name[: MAX_NAME - 4]}_{number}"
        number += 1
    return free


def described(listener: Listener) -> str:
    """What the model reads about a tool: the listener's description, else what its kind does."""
    own = listener.description.strip()
    ends = USUAL["output"] if listener.handler.builtin == "output" else ""
    words = " ".join(part for part in (own, ends) if part)
    return (words or USUAL.get(listener.handler.builtin) or f"Sends a message to {listener.name}.")[
        :MAX_DESCRIPTION
    ]


async def call(wanted: ToolCall, tools: Mapping[str, Peer], context: Context) -> "bytes | Failure":
    """What the peer answers; a wish that cannot be fulfilled is a failure that the model is told."""
    peer = tools.get(wanted.name)
    if peer is None:
        names = ", ".join(tools) or "none"
        return Failure("routing", f"there is no tool “{wanted.name[:100]}”; tools: {names}", retryable=True)
    if wanted.arguments is None:
        return Failure("validation", "the arguments are not a JSON object", retryable=True)
    return await context.call_peer(peer.listener.name, peer.payload(wanted.arguments), wanted.id)


def told(wanted: ToolCall, result: bytes | Failure, context: Context) -> Message:
    """The answer as the model reads it: without secrets, and not without end."""
    if isinstance(result, Failure):
        error = {"error": {**result.value(), "retry_allowed": result.retryable or result.code == "routing"}}
        words = orjson.dumps(error).decode()
    else:
        words = readable(result)
    words = hidden(context, words)
    if len(words) > MAX_RESULT:
        words = f"{words[:MAX_RESULT]}… (cut, {len(words)} characters)"
    return Message("tool", words, call_id=wanted.id, failed=isinstance(result, Failure))


def readable(result: bytes) -> str:
    """A JSON text as its words, everything else as JSON."""
    try:
        value = orjson.loads(result)
    except orjson.JSONDecodeError:
        return result.decode("utf-8", "replace")
    return value if isinstance(value, str) else orjson.dumps(value).decode()
