"""The steps of a run as they are written down: what came in and went out, to whom, how long; all of it bounded."""

from collections.abc import Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from runtime.wasmtypes import FUEL_PER_UNIT

if TYPE_CHECKING:
    from runtime.flowframe import Message
    from runtime.flowneeds import Failure
    from runtime.flowplan import Node

MAX_STEPS = 1_000
MAX_BYTES = 2 * 1024 * 1024
CAP = 16 * 1024
CUT = "… (cut)"
Step = dict[str, Any]


class Steps:
    """What is kept of the steps, and who is told of each while the run goes on."""

    __slots__ = ("base", "dropped", "kept", "last", "room", "tell")

    def __init__(self) -> None:
        self.base = perf_counter_ns()
        self.kept: list[Step] = []
        self.room = MAX_BYTES
        self.dropped = 0
        self.tell: Any = None  # called with each step
        self.last: tuple[bytes, str] = (b"", "")  # an output, which mostly is the next step's input

    def add(self, message: "Message", to: "Sequence[Node]", output: bytes, fuel: int) -> None:
        if len(self.kept) >= MAX_STEPS or self.room < 0:
            self.dropped += 1
            if self.tell is None:
                return
        self.keep(message, to, output, fuel)

    def failed(self, message: "Message", failure: "Failure", to: "Sequence[Node]") -> None:
        step = self.keep(message, to, b"", 0)
        step["error"] = f"{failure.code}: {failure.message}"[:2000]

    def text(self, data: bytes) -> str:
        before, known = self.last
        if data is before:
            return known
        known = text(data)
        self.last = data, known
        return known

    def keep(self, message: "Message", to: "Sequence[Node]", sent: bytes, fuel: int) -> Step:
        node, input, output = message.node, self.text(message.payload), self.text(sent)
        began = message.began
        step = {
            "node": node.name,
            "kind": node.kind,
            "at_us": (began - self.base) // 1000,
            "duration_us": (perf_counter_ns() - began) // 1000,
            "units": -(-fuel // FUEL_PER_UNIT),
            "attempt": message.attempt,
            "from": message.sender,
            "to": [one.name for one in to] if to else [],
            "input": input,
            "output": output,
        }
        if message.repeated:
            step["repeated"] = True
        if node.target:
            step["target"] = node.target
        self.room -= len(input) + len(output) + 200
        if len(self.kept) < MAX_STEPS and self.room >= 0:
            self.kept.append(step)
        if self.tell is not None:
            self.tell(step)
        return step

    def whole(self) -> list[Step]:
        """All that was kept, and how many were not."""
        return [*self.kept, {"dropped": self.dropped}] if self.dropped else self.kept


def text(data: bytes) -> str:
    if len(data) > CAP:
        return data[:CAP].decode("utf-8", "replace") + CUT
    return data.decode("utf-8", "replace")
