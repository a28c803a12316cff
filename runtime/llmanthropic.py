"""Anthropic's messages: the system text beside them, tools as blocks of content."""

from collections.abc import Mapping
from typing import Any

import orjson

from runtime.llmtypes import LlmError, Message, Reply, Request, Stop, ToolCall, Usage, not_understood
from runtime.llmwire import MAX_CALLS, Sent, Speech, Wish, count, tool_call

VERSION = "2023-06-01"
MAX_TOKENS = 4096  # it wants to be told
STOPS: Mapping[Any, Stop] = {"max_tokens": "length", "tool_use": "tools", "refusal": "filter"}
ONLY_JSON = "Answer with one JSON object and nothing else."


def pack(request: Request, model: str, streamed: bool) -> Sent:
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": request.max_tokens or MAX_TOKENS,
        "messages": turns(request.messages),
    }
    system = "\n\n".join(part for part in (request.system, ONLY_JSON if request.json else "") if part)
    if system:
        body["system"] = system
    if request.tools:
        body["tools"] = [
            {"name": one.name, "description": one.description, "input_schema": dict(one.schema)}
            for one in request.tools
        ]
    if request.temperature is not None:
        body["temperature"] = min(1.0, request.temperature)
    if streamed:
        body["stream"] = True
    return Sent("/messages", body, {"anthropic-version": VERSION})


def turns(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    """User and assistant by turns; what follows each other from one side becomes one turn."""
    found: list[dict[str, Any]] = []
    for one in messages:
        if one.role == "system":
            continue
        role = "assistant" if one.role == "assistant" else "user"
        blocks = content(one)
        if found and found[-1]["role"] == role:
            found[-1]["content"] += blocks
        elif blocks:
            found.append({"role": role, "content": blocks})
    return found


def content(one: Message) -> list[dict[str, Any]]:
    if one.role == "tool":
        said = one.text or "(nothing)"
        return [{"type": "tool_result", "tool_use_id": one.call_id, "content": said, "is_error": one.failed}]
    blocks: list[dict[str, Any]] = [{"type": "text", "text": one.text}] if one.text.strip() else []
    for call in one.calls:
        blocks.append(
            {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments or {})}
        )
    return blocks


def read(answer: Mapping[str, Any]) -> Reply:
    try:
        blocks = [dict(block) for block in answer["content"]]
        text = "".join(str(block["text"]) for block in blocks if block.get("type") == "text")
        calls = tuple(_call(block) for block in blocks if block.get("type") == "tool_use")[:MAX_CALLS]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise not_understood("a message") from None
    stop = "tools" if calls else STOPS.get(str(answer.get("stop_reason")), "stop")
    return Reply(text, calls, stop, usage(answer.get("usage")), str(answer.get("model") or ""))


def _call(block: Mapping[str, Any]) -> ToolCall:
    given = block.get("input")
    arguments = given if isinstance(given, dict) else None
    return ToolCall(str(block["id"]), str(block["name"]), arguments, orjson.dumps(given).decode())


def usage(told: Any) -> Usage:
    told = told if isinstance(told, dict) else {}
    kinds = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    return Usage(sum(count(told.get(kind)) for kind in kinds), count(told.get("output_tokens")))


class Collector:
    """Events of a streamed message."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.wishes: dict[int, Wish] = {}
        self.reason: Any = None
        self.told: dict[str, Any] = {}
        self.model = ""
        self.ended = False

    def take(self, event: Mapping[str, Any]) -> str:
        match event.get("type"):
            case "message_start":
                message = event.get("message") or {}
                self.model = str(message.get("model") or "")
                self.told |= message.get("usage") or {}
            case "content_block_start":
                self._start(int(event.get("index", 0)), event.get("content_block") or {})
            case "content_block_delta":
                return self._delta(int(event.get("index", 0)), event.get("delta") or {})
            case "message_delta":
                self.reason = (event.get("delta") or {}).get("stop_reason") or self.reason
                self.told |= event.get("usage") or {}
            case "message_stop":
                self.ended = True
            case "error":
                raise LlmError(
                    "handler", "the model's server broke off its answer", retryable=True, fault=True
                )
        return ""

    def _start(self, index: int, block: Mapping[str, Any]) -> None:
        if block.get("type") == "tool_use" and len(self.wishes) < MAX_CALLS:
            self.wishes[index] = Wish(str(block.get("id", "")), str(block.get("name", "")))

    def _delta(self, index: int, delta: Mapping[str, Any]) -> str:
        if delta.get("type") == "input_json_delta" and index in self.wishes:
            self.wishes[index].written += str(delta.get("partial_json", ""))
            return ""
        text = str(delta.get("text", "")) if delta.get("type") == "text_delta" else ""
        self.text.append(text)
        return text

    def reply(self) -> Reply:
        if not self.ended:
            raise LlmError("handler", "the model's answer ends too early", retryable=True, fault=True)
        calls = tuple(tool_call(wish.id, wish.name, wish.written) for _, wish in sorted(self.wishes.items()))
        stop = "tools" if calls else STOPS.get(str(self.reason), "stop")
        return Reply("".join(self.text), calls, stop, usage(self.told), self.model)


SPEECH = Speech(pack, read, Collector, lambda key: {"x-api-key": key} if key else {})
