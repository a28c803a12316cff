"""The protocols of language models as one shape: a request becomes bytes, events become a reply. No I/O here.

Ours, because pydantic-ai-slim costs a process 55 MB and 0.7 s for OpenAI alone (90 MB and 1.5 s with Anthropic), and
its providers bring HTTP clients of their own past the egress guard; these modules cost less than 1 MB and 0.1 s.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from runtime.llmtypes import Reply, Request, ToolCall, Usage

MAX_CALLS = 64  # of one answer
MAX_LINE = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """A request in a provider's own words, still without its key."""

    path: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Collector(Protocol):
    """Puts a reply together from the events of a stream."""

    def take(self, event: Mapping[str, Any]) -> str:
        """What the event adds to the text."""

    def reply(self) -> Reply:
        """The whole, once the stream has ended; LlmError when it ended too early."""


@dataclass(frozen=True, slots=True)
class Speech:
    """How one family of servers is spoken to."""

    pack: Callable[[Request, str, bool], Sent]  # request, model, streamed
    read: Callable[[Mapping[str, Any]], Reply]
    collector: Callable[[], Collector]
    key: Callable[[str], dict[str, str]]  # the headers that carry the key
    lines: bool = False  # its stream is JSON lines, not server-sent events


@dataclass(slots=True)
class Wish:
    """A tool call while it is streamed."""

    id: str = ""
    name: str = ""
    written: str = ""

    def call(self, number: int) -> ToolCall:
        return tool_call(self.id or f"call_{number}", self.name, self.written)


def tool_call(id: str, name: str, written: str) -> ToolCall:
    try:
        arguments = orjson.loads(written) if written.strip() else {}
    except orjson.JSONDecodeError:
        arguments = None
    return ToolCall(id, name, arguments if isinstance(arguments, dict) else None, written)


def events(parts: bytes, *, lines: bool) -> Iterator[Mapping[str, Any] | None]:
    """The JSON objects in whole lines of a stream; None is its marked end."""
    for line in parts.splitlines():
        text = line.strip() if lines else data_of(line)
        if not text:
            continue
        if text == b"[DONE]":
            yield None
            continue
        event = orjson.loads(text)
        if not isinstance(event, dict):
            raise ValueError("an event is no object")
        yield event


def data_of(line: bytes) -> bytes:
    """What a line of server-sent events carries; comments and names of events carry nothing."""
    name, _, value = line.partition(b":")
    return value.strip() if name == b"data" else b""


def text_of(content: Any) -> str:
    """Text of a message: a string, or parts of which some are text."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def counted(usage: Any, given: str, made: str) -> Usage:
    usage = usage if isinstance(usage, dict) else {}
    return Usage(count(usage.get(given)), count(usage.get(made)))
