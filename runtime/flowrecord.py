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
# Node, attempt, sender, whether it is repeated, when it began and ended, fuel, to whom, what came in and went out, error.
Entry = tuple["Node", int, str, bool, int, int, int, "Sequence[Node]", bytes, bytes, str]


class Steps:
    """What is kept of the steps, and who is told of each while the run goes on."""

    __slots__ = ("base", "dropped", "entries", "flow", "last", "room", "tell")

    def __init__(self, flow: str) -> None:
        self.flow = flow  # the one that was started; steps of others say of which they are
        self.base = perf_counter_ns()
        self.entries: list[Entry | Step] = []  # a step is written out when somebody reads it
        self.room = MAX_BYTES
        self.dropped = 0
        self.tell: Any = None  # called with each step
        self.last: tuple[bytes, str] = (b"", "")  # an output, which mostly is the next step's input

    def add(
        self, message: "Message", to: "Sequence[Node]", output: bytes, fuel: int, error: str = ""
    ) -> None:
        entries, input = self.entries, message.payload
        size = len(input) + len(output)
        if size > CAP:
            input, output = (
                input[: CAP + 1],
                output[: CAP + 1],
            )  # whole ones would stay for as long as the run
            size = len(input) + len(output)
        self.room -= size + 200
        kept = self.room >= 0 and len(entries) < MAX_STEPS
        if not kept:
            self.dropped += 1
            if self.tell is None:
                return
        node, began, ended = message.node, message.began, perf_counter_ns()
        facts = (node, message.attempt, message.sender, message.repeated, began, ended)
        entry = (*facts, fuel, to, input, output, error)
        if kept:
            entries.append(entry)
        if self.tell is not None:
            self.tell(self.step(entry))

    def failed(self, message: "Message", failure: "Failure", to: "Sequence[Node]") -> None:
        self.add(message, to, b"", 0, f"{failure.code}: {failure.message}"[:2000])

    @property
    def kept(self) -> list[Step]:
        return [self.step(one) if isinstance(one, tuple) else one for one in self.entries]

    @kept.setter
    def kept(self, steps: list[Step]) -> None:
        self.entries = list(steps)

    def step(self, entry: Entry) -> Step:
        node, attempt, sender, repeated, began, ended, fuel, to, input, output, error = entry
        before, known = self.last
        came = known if input is before else text(input)
        gone = came if output is input else text(output)
        self.last = output, gone
        step = {
            "node": node.name,
            "kind": node.kind,
            "at_us": (began - self.base) // 1000,
            "duration_us": (ended - began) // 1000,
            "units": -(-fuel // FUEL_PER_UNIT) if fuel else 0,
            "attempt": attempt,
            "from": sender,
            "to": list(node.names) if to is node.peers else [one.name for one in to],
            "input": came,
            "output": gone,
        }
        if node.plan.name != self.flow:
            step["flow"] = node.plan.name
        if repeated:
            step["repeated"] = True
        if node.target:
            step["target"] = node.target
        if error:
            step["error"] = error
        return step

    def whole(self) -> list[Step]:
        """All that was kept, and how many were not."""
        return [*self.kept, {"dropped": self.dropped}] if self.dropped else self.kept


def text(data: bytes) -> str:
    if len(data) > CAP:
        return data[:CAP].decode("utf-8", "replace") + CUT
    return data.decode("utf-8", "replace")
