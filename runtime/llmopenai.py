"""OpenAI's chat completions: spoken by OpenAI, xAI, and most servers that have a base_url of their own."""

import re
from collections.abc import Mapping
from typing import Any

from runtime.llmtypes import LlmError, Message, Reply, Request, Stop, Tool, ToolCall, Usage, not_understood
from runtime.llmwire import MAX_CALLS, Sent, Speech, Wish, counted, text_of, tool_call

STOPS: Mapping[Any, Stop] = {"length": "length", "tool_calls": "tools", "content_filter": "filter"}
REASONING = re.compile(
    r"(o[0-9]|gpt-5)"
)  # these know neither max_tokens nor another temperature than their own


def pack(request: Request, model: str, streamed: bool) -> Sent:
    body: dict[str, Any] = {"model": model, "messages": [message(one) for one in request.messages]}
    reasoning = REASONING.match(model.rpartition("/")[2]) is not None
    if request.tools:
        body["tools"] = [tool(one) for one in request.tools]
    if request.temperature is not None and not reasoning:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body["max_completion_tokens" if reasoning else "max_tokens"] = request.max_tokens
    if request.json:
        body["response_format"] = {"type": "json_object"}
        if not any("json" in one.text.lower() for one in request.messages):  # it refuses to, unless told so
            body["messages"].insert(0, {"role": "system", "content": "Answer with one JSON object."})
    if streamed:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return Sent("/chat/completions", body)


def message(one: Message) -> dict[str, Any]:
    if one.role == "tool":
        return {"role": "tool", "tool_call_id": one.call_id, "content": one.text}
    value: dict[str, Any] = {"role": one.role, "content": one.text}
    if one.calls:
        value["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.written or "{}"},
            }
            for call in one.calls
        ]
    return value


def tool(one: Tool) -> dict[str, Any]:
    described = {"name": one.name, "description": one.description, "parameters": dict(one.schema)}
    return {"type": "function", "function": described}


def read(answer: Mapping[str, Any]) -> Reply:
    try:
        choice = answer["choices"][0]
        said = choice["message"]
        calls = tuple(_call(one, n) for n, one in enumerate((said.get("tool_calls") or ())[:MAX_CALLS]))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise not_understood() from None
    text = text_of(said.get("content"))
    usage = counted(answer.get("usage"), "prompt_tokens", "completion_tokens")
    return Reply(text, calls, stop(choice.get("finish_reason"), calls), usage, str(answer.get("model") or ""))


def stop(reason: Any, calls: tuple[ToolCall, ...]) -> Stop:
    return "tools" if calls else STOPS.get(reason, "stop") if isinstance(reason, str) else "stop"


def _call(one: Mapping[str, Any], number: int) -> ToolCall:
    function = one["function"]
    return tool_call(
        str(one.get("id") or f"call_{number}"), str(function["name"]), str(function.get("arguments") or "")
    )


class Collector:
    """Chunks of a streamed completion."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.wishes: dict[int, Wish] = {}
        self.reason: Any = None
        self.usage = Usage()
        self.model = ""

    def take(self, event: Mapping[str, Any]) -> str:
        if "error" in event:
            raise LlmError("handler", "the model's server broke off its answer", retryable=True, fault=True)
        self.model = str(event.get("model") or self.model)
        if event.get("usage"):
            self.usage = counted(event["usage"], "prompt_tokens", "completion_tokens")
        if not event.get("choices"):
            return ""
        choice = event["choices"][0]
        self.reason = choice.get("finish_reason") or self.reason
        delta = choice.get("delta") or {}
        for part in delta.get("tool_calls") or ():
            self._wish(part)
        text = text_of(delta.get("content"))
        self.text.append(text)
        return text

    def _wish(self, part: Mapping[str, Any]) -> None:
        number = int(part.get("index", len(self.wishes)))
        if len(self.wishes) >= MAX_CALLS and number not in self.wishes:
            return
        wish = self.wishes.setdefault(number, Wish())
        function = part.get("function") or {}
        wish.id = str(part.get("id") or wish.id)
        wish.name += str(function.get("name") or "")
        wish.written += str(function.get("arguments") or "")

    def reply(self) -> Reply:
        if self.reason is None:
            raise LlmError("handler", "the model's answer ends too early", retryable=True, fault=True)
        calls = tuple(wish.call(number) for number, wish in sorted(self.wishes.items()))
        return Reply("".join(self.text), calls, stop(self.reason, calls), self.usage, self.model)


SPEECH = Speech(pack, read, Collector, lambda key: {"authorization": f"Bearer {key}"} if key else {})
