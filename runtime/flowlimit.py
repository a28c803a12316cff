"""Time limits of steps that hold others: a loop or a called flow that takes too long is given up with all in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from runtime.flowframe import Frame, Message
from runtime.flowneeds import Failure

if TYPE_CHECKING:
    from runtime.flowpump import Pump

HOLDING = frozenset({"loop", "flow", "join"})


def begin(pump: "Pump", message: Message) -> None:
    """The step has so much time from now on."""
    limit = message.node.timeout_ms or 0
    need = pump.need("timer", message, {}, due=pump.world.now() + limit / 1000)
    pump.limits[message] = need.id


def end(pump: "Pump", message: Message) -> None:
    """It came to its end in time."""
    id = pump.limits.pop(message, 0)
    pump.needs.pop(id, None)
    pump.waiting.pop(id, None)


def passed(pump: "Pump", message: Message) -> None:
    """It did not."""
    pump.limits.pop(message)
    for frame in list(inside(pump, message)):
        pump.kill(frame)
    for frame in pump.holding.values():
        held = (frame.joins or {}).get(message.node.index)
        if frame is message.frame and held is not None and message in held.messages:
            held.messages.remove(message)
            assert frame.reach is not None
            frame.reach[message.node.index] += 1
    text = f"it took longer than {(message.node.timeout_ms or 0) / 1000:g} s"
    pump.gave_up(message, Failure("timeout", text, retryable=True))


def inside(pump: "Pump", message: Message) -> Iterator[Frame]:
    """The frames that the step waits for."""
    seen: set[int] = set()
    for one in [*pump.ready, *pump.waiting.values()]:
        frame: Frame | None = one.frame
        while frame is not None:
            if frame.owner is not None and frame.owner.message is message and frame.id not in seen:
                seen.add(frame.id)
                yield frame
            frame = frame.parent
