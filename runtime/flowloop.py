"""Loops: a round for each item, some of them side by side, or rounds for as long as a condition holds."""

from typing import TYPE_CHECKING, Any, NamedTuple

from bundles import cel
from runtime.flowframe import UNREAD, Frame, Message, Refused, encoded
from runtime.flowneeds import Failure
from runtime.flowscope import Scope
from runtime.flowsize import MAX_BYTES, TOO_LARGE

if TYPE_CHECKING:
    from runtime.flowplan import Node
    from runtime.flowpump import Pump

MAX = 1_000


class Options(NamedTuple):
    """What a loop node is told."""

    over: cel.Expression | None
    condition: cel.Expression | None
    body: "tuple[Node, ...]"
    done: "tuple[Node, ...]"
    max: int
    parallel: int


class Rounds:
    """A loop under way; the frames of its rounds belong to it."""

    kind = "loop"
    __slots__ = ("current", "items", "message", "next", "open", "results", "running", "size")

    def __init__(self, message: Message, items: list[Any] | None) -> None:
        self.message = message
        self.items = items  # None: while
        self.results: list[bytes | None] = [None] * len(items or ())
        self.current = message.payload
        self.next = self.running = self.size = 0
        self.open: dict[int, Frame] = {}  # rounds that have not answered

    def answered(self, pump: "Pump", frame: Frame, payload: bytes, sender: str) -> None:
        if self.items is None:
            self.current = payload
        else:
            self.results[frame.index] = payload
            self.size += len(payload)
        if self.size > MAX_BYTES or len(payload) > MAX_BYTES:
            return self.failed(pump, frame, TOO_LARGE)
        self.ended(pump, frame)

    def ended(self, pump: "Pump", frame: Frame) -> None:
        frame.over()
        self.open.pop(frame.id, None)
        self.running -= 1
        self.go(pump)

    def closed(self, pump: "Pump", frame: Frame) -> None:
        """A round whose message came to nothing gives no answer; a while goes on with what it had."""
        frame.answered = True
        self.ended(pump, frame)

    def failed(self, pump: "Pump", frame: Frame, failure: Failure) -> None:
        for other in list(self.open.values()):
            pump.kill(other)
        pump.gave_up(self.message, failure)

    def go(self, pump: "Pump") -> None:
        """Begin what may begin; send on when all is done."""
        try:
            more = self.begin(pump) if self.items is not None else self.condition(pump)
        except (cel.CelError, Refused) as problem:
            failure = problem.failure if isinstance(problem, Refused) else Failure("validation", str(problem))
            return pump.gave_up(self.message, failure)
        if not more and not self.running:
            self.send(pump)

    def begin(self, pump: "Pump") -> bool:
        items = self.items
        assert items is not None
        most, parallel = len(items), self.message.node.data.parallel
        while self.running < parallel and self.next < most:
            item = items[self.next]
            self.round(pump, item, encoded(item))
        return self.next < most

    def condition(self, pump: "Pump") -> bool:
        """Another round when the condition holds for what the last one answered."""
        message, options = self.message, self.message.node.data
        seen = Message(message.node, self.current, UNREAD, Frame(-1, None, None), message.sender)
        seen.frame.parent, seen.frame.item, seen.frame.index = message.frame, None, self.next
        if not cel.truth(options.condition.metered(Scope(pump, seen, False), pump.meter)):
            return False
        if self.next >= options.max:
            raise Refused("validation", f"more than {options.max} rounds")
        self.round(pump, seen.value(), self.current)
        return True

    def round(self, pump: "Pump", item: Any, payload: bytes) -> None:
        message = self.message
        loop = message.node
        frame = pump.nest(message.frame, self)
        self.open[frame.id] = frame
        frame.item, frame.index = item, self.next
        self.next += 1
        self.running += 1
        for node in loop.data.body:
            pump.post(node, payload, item, frame, loop.name)

    def send(self, pump: "Pump") -> None:
        message, node = self.message, self.message.node
        payload = self.current
        if self.items is not None:
            payload = b"[" + b",".join(one for one in self.results if one is not None) + b"]"
        pump.send(node, message, payload, UNREAD, node.data.done or node.peers)
        pump.finish(message)


def bind(node: "Node", uses: set[str]) -> Options:
    options, find = node.listener.options, node.plan.find
    over, condition = (cel.compile(options[key]) if options.get(key) else None for key in ("over", "while"))
    for expression in (over, condition):
        uses |= set(expression.names) if expression else set()
    body = find(str(options.get("body") or ""))
    if not body or (over is None) == (condition is None):
        raise ValueError("a loop needs a body, and either over or while")
    done = find(str(options["done"])) if options.get("done") else ()
    return Options(over, condition, body, done, int(options.get("max", MAX)), int(options.get("parallel", 1)))


def run(pump: "Pump", node: "Node", message: Message) -> bool:
    options: Options = node.data
    items = None
    if options.over is not None:
        items = options.over.metered(Scope(pump, message, False), pump.meter)
        if not isinstance(items, list | tuple):
            raise Refused("validation", "over is not a list")
        if len(items) > options.max:
            raise Refused("validation", f"{len(items)} items are more than {options.max} rounds")
        items = list(items)
    Rounds(message, items).go(pump)
    return True
