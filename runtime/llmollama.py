"""Ollama's own chat: arguments of tools are objects, streams are lines of JSON."""

from collections.abc import Mapping
from typing import Any

import orjson

from runtime.llmopenai import tool
from runtime.llmtypes import LlmError, Message, Reply, Request, Stop, ToolCall, not_understood
from runtime.llmwire import MAX_CALLS, Sent, Speech, counted


def pack(request: Request, model: str, streamed: bool) -> Sent:
    names: dict[str, str] = {}  # its calls have no ids, so ours are counted anew in every turn
    said = [message(one, names) for one in request.messages]
    body: dict[str, Any] = {"model": model, "messages": said, "stream": streamed}
    options: dict[str, Any] = {}
    if request.temperature is not None:
        options["temperature"] = request.temperature
    if request.max_tokens is not None:
        options["num_predict"] = request.max_tokens
    if options:
        body["options"] = options
    if request.tools:
        body["tools"] = [tool(one) for one in request.tools]
    if request.json:
        body["format"] = "json"
    return Sent("/api/chat", body)


def message(one: Message, names: dict[str, str]) -> dict[str, Any]:
    value: dict[str, Any] = {"role": one.role, "content": one.text}
    if one.role == "tool":
        value["tool_name"] = names.get(one.call_id, "")
    if one.calls:
        names |= {call.id: call.name for call in one.calls}
        value["tool_calls"] = [
            {"function": {"name": call.name, "arguments": dict(call.arguments or {})}} for call in one.calls
        ]
    return value


def read(answer: Mapping[str, Any]) -> Reply:
    collector = Collector()
    try:
        collector.take(answer)
    except (TypeError, AttributeError, KeyError):
        raise not_understood("a chat message") from None
    if "message" not in answer:
        raise not_understood("a chat message")
    return collector.reply()


class Collector:
    """Lines of a streamed chat; the whole answer is one such line."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.calls: list[ToolCall] = []
        self.last: Mapping[str, Any] = {}

    def take(self, event: Mapping[str, Any]) -> str:
        if "error" in event:
            raise LlmError("handler", "the model's server broke off its answer", retryable=True, fault=True)
        said = event.get("message") or {}
        for one in (said.get("tool_calls") or ())[: MAX_CALLS - len(self.calls)]:
            self.calls.append(self._call(one["function"]))
        if event.get("done"):
            self.last = event
        text = str(said.get("content") or "")
        self.text.append(text)
        return text

    def _call(self, function: Mapping[str, Any]) -> ToolCall:
        given = function.get("arguments")
        arguments = given if isinstance(given, dict) else None
        return ToolCall(
            f"call_{len(self.calls)}", str(function["name"]), arguments, orjson.dumps(given or {}).decode()
        )

    def reply(self) -> Reply:
        if not self.last:
            raise LlmError("handler", "the model's answer ends too early", retryable=True, fault=True)
        calls = tuple(self.calls)
        cut = self.last.get("done_reason") == "length"
        usage = counted(self.last, "prompt_eval_count", "eval_count")
        stop: Stop = "tools" if calls else "length" if cut else "stop"
        return Reply("".join(self.text), calls, stop, usage, str(self.last.get("model") or ""))


SPEECH = Speech(
    pack, read, Collector, lambda key: {"authorization": f"Bearer {key}"} if key else {}, lines=True
)
