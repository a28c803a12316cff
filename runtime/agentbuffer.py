"""An agent's conversation within a run: kept between its rounds and its messages, gone when the run ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from runtime.flowneeds import Context, Need
from runtime.llmtypes import Message
from runtime.llmwire import tool_call

MAX_MESSAGES = 400
MAX_BYTES = 512 * 1024


@dataclass(slots=True)
class Conversation:
    """What was said so far; `step`, `attempt` and `rounds` tell how far the present message has come."""

    thread: str
    step: int = -1
    attempt: int = 0
    rounds: int = 0
    messages: list[Message] = field(default_factory=list)
    answer: bytes | None = None  # of `step`, once it is finished

    def resumes(self, need: Need) -> bool:
        """Whether this very step was begun before: a worker that fell is followed by one that goes on."""
        return self.step == need.step and self.attempt == need.attempt

    @property
    def open(self) -> bool:
        """Whether the model's last words were wishes that nobody has fulfilled yet."""
        return bool(self.messages) and bool(self.messages[-1].calls)

    def begin(self, need: Need, said: str) -> None:
        if self.step == need.step:  # another try of it: what the failed one said does not count
            self.forget_last()
        elif self.open:  # an earlier message was given up: no wish stands without what came of it
            self.messages.pop()
        self.step, self.attempt, self.rounds, self.answer = need.step, need.attempt, 0, None
        self.messages.append(Message("user", said))

    def forget_last(self) -> None:
        while self.messages and self.messages.pop().role != "user":
            pass

    def packed(self) -> bytes:
        value = {
            "thread": self.thread, "step": self.step, "attempt": self.attempt, "rounds": self.rounds,
            "messages": [message.plain() for message in pruned(self.messages)],
            "answer": None if self.answer is None else self.answer.decode(),
        }  # fmt: skip
        return orjson.dumps(value)


async def load(need: Need, context: Context) -> Conversation:
    """That of this thread; an unreadable one or another thread's counts as none."""
    data = await context.load()
    try:
        return read(orjson.loads(data), need.thread) if data else Conversation(need.thread)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return Conversation(need.thread)


def read(value: Any, thread: str) -> Conversation:
    if value["thread"] != thread:
        return Conversation(thread)
    messages = [
        Message(
            one["role"], one["text"], tuple(tool_call(*call) for call in one.get("calls", ())),
            one.get("call_id", ""), one.get("failed", False),
        )
        for one in value["messages"]
    ]  # fmt: skip
    answer = value["answer"]
    return Conversation(
        thread,
        value["step"],
        value["attempt"],
        value["rounds"],
        messages,
        answer.encode() if answer else None,
    )


def pruned(messages: Sequence[Message]) -> Sequence[Message]:
    """The newest that fit, from a user's message on: an answer of a tool never stands without its call."""
    size = 0
    first = len(messages)
    for place in range(len(messages) - 1, -1, -1):
        one = messages[place]
        size += len(one.text) + sum(len(call.written) for call in one.calls) + 100
        if size > MAX_BYTES or len(messages) - place > MAX_MESSAGES:
            break
        if one.role == "user":
            first = place
    return messages[first:]
