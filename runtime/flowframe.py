"""Messages of a flow and the frames they travel in: who waits for an answer, and how many messages may still bring it."""

import re
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from runtime.flowneeds import Failure

if TYPE_CHECKING:
    from runtime.flowplan import Node
    from runtime.flowpump import Pump

UNREAD: Any = object()
MAX_CONTAINERS = 250_000  # lists and objects of one message: each costs as much as a hundred bytes of text
CROWDED = f"a message has at most {MAX_CONTAINERS:,} lists and objects"
CROWD = 3 * MAX_CONTAINERS  # bytes that so many take at least
TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


class Refused(Exception):
    """A step that cannot give an answer, and why."""

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.failure = Failure(code, message, retryable)


def encoded(value: Any) -> bytes:
    """A value as JSON; Refused when it has none."""
    try:
        return orjson.dumps(value, default=str)
    except (orjson.JSONEncodeError, RecursionError) as problem:
        raise Refused("validation", f"the value cannot be written as JSON: {problem}") from None


def crowded(data: bytes) -> bool:
    """Whether this JSON has more lists and objects than a message may, whatever its texts say."""
    if len(data) < CROWD or data.count(b"[") + data.count(b"{") <= MAX_CONTAINERS:
        return False
    bare = TEXT.sub(b"", data)
    return bare.count(b"[") + bare.count(b"{") > MAX_CONTAINERS


def decoded(data: bytes) -> Any:
    """The value of JSON; Refused when reading it would take too long."""
    if len(data) >= CROWD and crowded(data):
        raise Refused("budget", CROWDED)
    return orjson.loads(data)


class Owner(Protocol):
    """Who waits for the answer of a frame; ``message`` is the step that is held meanwhile, if it is one."""

    @property
    def kind(self) -> str: ...

    @property
    def message(self) -> "Message | None": ...

    def answered(self, pump: "Pump", frame: "Frame", payload: bytes, sender: str) -> None:
        """The first answer of the frame."""

    def closed(self, pump: "Pump", frame: "Frame") -> None:
        """No message of the frame is left, so nothing more will come; asked only when nothing has answered."""

    def failed(self, pump: "Pump", frame: "Frame", failure: Failure) -> None:
        """A step in the frame failed and nobody in it took care."""


class Frame:
    """A place that answers go back to. It counts its messages, so that it is known when none can come any more."""

    __slots__ = (
        *(
            "answered",
            "asked",
            "dead",
            "depth",
            "id",
            "index",
            "item",
            "joins",
            "known",
            "live",
            "owner",
            "parent",
            "reach",
        ),
    )

    def __init__(self, id: int, parent: "Frame | None", owner: Owner | None) -> None:
        self.id = id
        self.parent = parent
        self.owner = owner
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.live = 0
        self.answered = self.dead = False
        self.item: Any = UNREAD  # of a loop's round
        self.index = 0
        self.reach: dict[int, int] | None = None  # join -> messages that may still come to it
        self.joins: dict[int, Held] | None = None
        self.asked: dict[str, int] | None = None  # how often its waits have begun
        self.known: dict[str, tuple[bytes, bytes]] | None = (
            None  # node -> its last input and output, for steps.x
        )
        if parent is not None:
            parent.live += 1

    def over(self) -> None:
        """It is answered: what its steps gave is known around it from here on."""
        if self.known and self.parent is not None:
            self.parent.known = {**(self.parent.known or {}), **self.known}


class Held:
    """What a join has received in a frame; ``passed`` when it has sent on and takes no more for now."""

    __slots__ = ("messages", "node", "passed", "senders", "size")

    def __init__(self, node: "Node") -> None:
        self.node = node
        self.senders: set[str] = set()  # of what came so far
        self.size = 0
        self.messages: list[Message] = []
        self.passed = False


class Message:
    """JSON on its way to a node; ``value()`` reads it once."""

    __slots__ = (
        *("attempt", "began", "frame", "node", "over", "parsed", "payload", "repeated", "sender", "step"),
    )

    def __init__(self, node: "Node", payload: bytes, parsed: Any, frame: Frame, sender: str) -> None:
        self.node = node
        self.payload = payload
        self.parsed = parsed
        self.frame = frame
        self.sender = sender
        self.attempt = 0
        self.step = 0  # given at its first try, kept by later ones
        self.began = 0
        self.over = False  # it was dealt with
        self.repeated = False  # it was under way when its process was lost: it may have happened before

    def value(self) -> Any:
        if self.parsed is UNREAD:
            self.parsed = decoded(self.payload)
        return self.parsed


class Caller:
    """An agent of the tenant's own code that called a peer: the answer comes back to it as a message."""

    kind = "caller"
    message = None
    __slots__ = ("node",)

    def __init__(self, node: "Node") -> None:
        self.node = node

    def answered(self, pump: "Pump", frame: Frame, payload: bytes, sender: str) -> None:
        assert frame.parent is not None
        frame.over()
        pump.post(self.node, payload, UNREAD, frame.parent, sender)

    def closed(self, pump: "Pump", frame: Frame) -> None:
        """Nothing answered, so nothing goes back."""

    def failed(self, pump: "Pump", frame: Frame, failure: Failure) -> None:
        assert frame.parent is not None
        pump.post(self.node, encoded({"error": failure.value()}), UNREAD, frame.parent, "system")


class SubFlow:
    """A step that is another flow: its answer goes on from the node."""

    kind = "flow"
    __slots__ = ("message",)

    def __init__(self, message: Message) -> None:
        self.message = message

    def answered(self, pump: "Pump", frame: Frame, payload: bytes, sender: str) -> None:
        message = self.message
        pump.passed(message.node, message, payload, UNREAD)
        pump.finish(message)

    def closed(self, pump: "Pump", frame: Frame) -> None:
        frame.answered = True
        self.answered(pump, frame, b"null", "")

    def failed(self, pump: "Pump", frame: Frame, failure: Failure) -> None:
        frame.answered = True
        pump.gave_up(self.message, failure)


class ToolCall:
    """A peer that an agent's language model called: the agent waits for the answer, or comes back for it."""

    kind = "tool"
    message = None
    __slots__ = ("agent", "call", "key", "node", "result")

    def __init__(self, node: "Node", key: tuple[int, int, str]) -> None:
        self.node = node  # the agent's
        self.key = key
        self.call = 0  # nobody waits yet
        self.agent: Message | None = None  # the step that waits
        self.result: bytes | Failure | None = None

    def is_open(self, pump: "Pump") -> bool:
        """Whether the agent still wants the answer."""
        return pump.tools.get(self.key) is self

    def tell(self, pump: "Pump", result: bytes | Failure) -> None:
        self.result = result
        if self.call:
            pump.replies.append((self.call, result))

    def answered(self, pump: "Pump", frame: Frame, payload: bytes, sender: str) -> None:
        frame.over()
        self.tell(pump, payload)

    def closed(self, pump: "Pump", frame: Frame) -> None:
        frame.answered = True
        self.tell(pump, b"null")

    def failed(self, pump: "Pump", frame: Frame, failure: Failure) -> None:
        frame.answered = True
        self.tell(pump, failure)
