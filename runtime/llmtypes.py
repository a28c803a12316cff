"""What is asked of a language model and what it answers, the same for every provider."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
Stop = Literal["stop", "length", "tools", "filter"]
EVERYTHING: Mapping[str, Any] = {"type": "object", "additionalProperties": True}


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may ask for; `schema` is the JSON schema of its arguments."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: EVERYTHING)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One wish of the model. `arguments` are None when it wrote something that is no JSON object."""

    id: str
    name: str
    arguments: Mapping[str, Any] | None
    written: str = ""  # the arguments as the model wrote them


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. A `tool` message answers the call `call_id`."""

    role: Role
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    failed: bool = False  # the tool gave an error

    def plain(self) -> dict[str, Any]:
        """As JSON, for a conversation that is kept."""
        value: dict[str, Any] = {"role": self.role, "text": self.text}
        if self.calls:
            value["calls"] = [[call.id, call.name, call.written] for call in self.calls]
        if self.call_id:
            value |= {"call_id": self.call_id, "failed": self.failed}
        return value


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; as we guess them when it did not."""

    input: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output


@dataclass(frozen=True, slots=True)
class Request:
    """One question. Without a `model` each backend uses its own."""

    messages: tuple[Message, ...]
    model: str = ""
    tools: tuple[Tool, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None
    json: bool = False
    key: str = ""  # for the header Idempotency-Key
    rehearsal: Callable[[], str] | None = (
        None  # its words when no backend has a key; without it nothing is rehearsed
    )

    @property
    def system(self) -> str:
        return "\n\n".join(message.text for message in self.messages if message.role == "system")

    def estimate(self) -> int:
        """Tokens as xml-pipeline guesses them: four characters each, at least 100."""
        size = sum(len(one.text) + sum(len(call.written) for call in one.calls) for one in self.messages)
        return max(100, (size + sum(len(tool.description) + 100 for tool in self.tools)) // 4)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said, or which tools it wants."""

    text: str
    calls: tuple[ToolCall, ...] = ()
    stop: Stop = "stop"
    usage: Usage = Usage()
    model: str = ""
    backend: str = ""
    cost: float | None = None  # by the prices of the backend, when it has some


class LlmError(Exception):
    """A language model gave no answer. `elsewhere`: another backend may; `retryable`: this one may later.

    `unset`: nobody has given the backend a key yet. `fault`: its server is to blame, which the breaker counts.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        elsewhere: bool = False,
        retry_after_s: float | None = None,
        unset: bool = False,
        fault: bool = False,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.unset, self.fault = code, message, unset, fault
        self.retryable, self.elsewhere, self.retry_after_s = retryable, elsewhere or retryable, retry_after_s


def not_understood(what: str = "a chat completion") -> LlmError:
    message = f"the model's server does not answer with {what}"
    return LlmError("handler", message, retryable=True, fault=True)
