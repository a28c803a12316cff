"""The three protocols in which the fake model speaks, whole and streamed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.fakes.brain import Asked, Turn


@dataclass(frozen=True)
class Talk:
    whole: Callable[[Asked, Turn], dict[str, Any]]
    stream: Callable[[Asked, Turn], Iterator[bytes]]
    kind: str = "text/event-stream"


def written(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def words(text: str) -> list[str]:
    """The text in small pieces."""
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def sse(event: Any, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(event)}\n\n".encode()


# -- OpenAI -----------------------------------------------------------------------------------------


def openai_reason(turn: Turn) -> str:
    ended = "content_filter" if turn.filtered else "length" if turn.length else "stop"
    return "tool_calls" if turn.calls else ended


def openai_usage(turn: Turn) -> dict[str, int]:
    return {
        "prompt_tokens": turn.usage[0],
        "completion_tokens": turn.usage[1],
        "total_tokens": sum(turn.usage),
    }


def openai_calls(turn: Turn) -> list[dict[str, Any]]:
    return [
        {
            "index": n,
            "id": f"call_{n}",
            "type": "function",
            "function": {"name": name, "arguments": written(given)},
        }
        for n, (name, given) in enumerate(turn.calls)
    ]


def openai_whole(asked: Asked, turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
    if turn.calls:
        message["tool_calls"] = openai_calls(turn)
    choice = {"index": 0, "message": message, "finish_reason": openai_reason(turn)}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "model": asked.body["model"],
        "choices": [choice], "usage": openai_usage(turn),
    }  # fmt: skip


def openai_stream(asked: Asked, turn: Turn) -> Iterator[bytes]:
    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return sse({"object": "chat.completion.chunk", "model": asked.body["model"], "choices": [choice]})

    yield b": a comment\n\n"
    yield chunk({"role": "assistant", "content": ""})
    for piece in words(turn.text):
        yield chunk({"content": piece})
    for call in openai_calls(turn):
        arguments = call["function"]["arguments"]
        yield chunk({"tool_calls": [{**call, "function": {**call["function"], "arguments": ""}}]})
        for piece in words(arguments):
            yield chunk({"tool_calls": [{"index": call["index"], "function": {"arguments": piece}}]})
    yield chunk({}, openai_reason(turn))
    yield sse({"choices": [], "usage": openai_usage(turn)})
    yield b"data: [DONE]\n\n"


# -- Anthropic --------------------------------------------------------------------------------------


def anthropic_reason(turn: Turn) -> str:
    ended = "refusal" if turn.filtered else "max_tokens" if turn.length else "end_turn"
    return "tool_use" if turn.calls else ended


def anthropic_whole(asked: Asked, turn: Turn) -> dict[str, Any]:
    blocks: list[dict[str, Any]] = [{"type": "text", "text": turn.text}] if turn.text else []
    for n, (name, given) in enumerate(turn.calls):
        blocks.append({"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": given})
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": asked.body["model"], "content": blocks,
        "stop_reason": anthropic_reason(turn),
        "usage": {"input_tokens": turn.usage[0], "output_tokens": turn.usage[1]},
    }  # fmt: skip


def anthropic_stream(asked: Asked, turn: Turn) -> Iterator[bytes]:
    def event(type: str, **more: Any) -> bytes:
        return sse({"type": type, **more}, type)

    start = {"model": asked.body["model"], "usage": {"input_tokens": turn.usage[0], "output_tokens": 1}}
    yield event("message_start", message=start)
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield event("ping")
    for piece in words(turn.text):
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
    yield event("content_block_stop", index=0)
    for n, (name, given) in enumerate(turn.calls, 1):
        block = {"type": "tool_use", "id": f"toolu_{n - 1}", "name": name, "input": {}}
        yield event("content_block_start", index=n, content_block=block)
        for piece in words(written(given)):
            delta = {"type": "input_json_delta", "partial_json": piece}
            yield event("content_block_delta", index=n, delta=delta)
        yield event("content_block_stop", index=n)
    yield event(
        "message_delta", delta={"stop_reason": anthropic_reason(turn)}, usage={"output_tokens": turn.usage[1]}
    )
    yield event("message_stop")


# -- Ollama -----------------------------------------------------------------------------------------


def ollama_end(turn: Turn) -> dict[str, Any]:
    reason = "length" if turn.length else "stop"
    return {
        "done": True,
        "done_reason": reason,
        "prompt_eval_count": turn.usage[0],
        "eval_count": turn.usage[1],
    }


def ollama_calls(turn: Turn) -> list[dict[str, Any]]:
    return [{"function": {"name": name, "arguments": given}} for name, given in turn.calls]


def ollama_whole(asked: Asked, turn: Turn) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.text}
    if turn.calls:
        message["tool_calls"] = ollama_calls(turn)
    return {"model": asked.body["model"], "message": message, **ollama_end(turn)}


def ollama_stream(asked: Asked, turn: Turn) -> Iterator[bytes]:
    def line(message: dict[str, Any], **more: Any) -> bytes:
        return json.dumps({"model": asked.body["model"], "message": message, **more}).encode() + b"\n"

    for piece in words(turn.text):
        yield line({"role": "assistant", "content": piece}, done=False)
    for call in ollama_calls(turn):
        yield line({"role": "assistant", "content": "", "tool_calls": [call]}, done=False)
    yield line({"role": "assistant", "content": ""}, **ollama_end(turn))


openai = Talk(openai_whole, openai_stream)
anthropic = Talk(anthropic_whole, anthropic_stream)
ollama = Talk(ollama_whole, ollama_stream, "application/x-ndjson")
