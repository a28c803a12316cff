"""What a scripted language model says next: turns given by a test, else a simple mind of its own."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Turn:
    """One answer. `raw` replaces the whole HTTP answer, `cut` ends a stream in its middle."""

    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()  # name, arguments (an object, or text as it stands)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: str = ""
    delay: float = 0.0
    raw: bytes | None = None
    cut: bool = False
    pause: float = 0.0  # seconds before each piece of a stream
    endless: bool = False  # a stream says its text again and again
    usage: tuple[int, int] = (11, 7)
    length: bool = False
    filtered: bool = False


def say(text: str, **more: Any) -> Turn:
    return Turn(text, **more)


def wish(*calls: tuple[str, Any], **more: Any) -> Turn:
    return Turn(calls=calls, **more)


def refuse(status: int, error: str = "no", **headers: str) -> Turn:
    return Turn(
        status=status, error=error, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


@dataclass(frozen=True)
class Asked:
    """A request, the same for all three protocols."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return list(self.body.get("messages") or [])

    @property
    def tools(self) -> list[str]:
        named = [tool.get("function", tool) for tool in self.body.get("tools") or []]
        return [tool["name"] for tool in named]

    @property
    def json(self) -> bool:
        return "response_format" in self.body or self.body.get("format") == "json"

    def said(self) -> str:
        """The last words of the user."""
        for message in reversed(self.messages):
            if message["role"] == "user":
                content = message["content"]
                if isinstance(content, str):
                    return content
                texts = [part["text"] for part in content if part.get("type") == "text"]
                if texts:
                    return str(texts[-1])
        return ""

    def used(self) -> list[str]:
        """Names of the tools that were called so far."""
        names = []
        for message in self.messages:
            names += [call["function"]["name"] for call in message.get("tool_calls") or []]
            if isinstance(message["content"], list):
                names += [part["name"] for part in message["content"] if part.get("type") == "tool_use"]
        return names


class Brain:
    """Gives the turns of its script one after the other, then thinks for itself; remembers what it was asked."""

    def __init__(self, script: Iterable[Turn] | Callable[[Asked], Turn] = ()) -> None:
        self.script = script if callable(script) else None
        self.turns = [] if callable(script) else list(script)
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Turn:
        self.asked.append(asked)
        if self.script is not None:
            return self.script(asked)
        return self.turns.pop(0) if self.turns else think(asked)


def think(asked: Asked) -> Turn:
    """Every tool once, in order, with what the user said; then an answer."""
    said = asked.said()
    left = [name for name in asked.tools if name not in asked.used()]
    if left:
        return wish((left[0], arguments(said)))
    return say(json.dumps({"answer": said}) if asked.json else f"You said: {said}")


def arguments(said: str) -> dict[str, Any]:
    try:
        value = json.loads(said)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"text": said}
