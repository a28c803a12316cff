"""Time limits of steps that hold others or pause: what takes too long is given up with all that is in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from runtime.flowframe import Frame, Message, Owner, ToolCall
from runtime.flowneeds import Failure

if TYPE_CHECKING:
    from runtime.flowpump import Pump

HOLDING = frozenset({"loop", "flow", "join", "delay", "wait", "agent"})


def begin(pump: "Pump", message: Message) -> None:
    """The step has so much time from now on, unless it goes on in the time that it was given before."""
    if message not in pump.limits:
        resume(pump, message, None)


def resume(pump: "Pump", message: Message, due: float | None) -> None:
    """It has until then; None begins its time anew."""
    if due is None:
        due = pump.world.now() + (message.node.timeout_ms or 0) / 1000
    pump.limits[message] = pump.need("timer", message, {}, due=due).id


def due(pump: "Pump", message: Message) -> float | None:
    """Until when it has time; None where it failed, as another try of it has all its time."""
    need = pump.needs.get(pump.limits[message])
    return need.due if need is not None and pump.failure is None else None


def end(pump: "Pump", message: Message) -> None:
    """It came to its end in time."""
    id = pump.limits.pop(message, 0)
    pump.needs.pop(id, None)
    pump.waiting.pop(id, None)


def passed(pump: "Pump", message: Message) -> None:
    """It did not."""
    pump.limits.pop(message)
    for id in [id for id, one in pump.waiting.items() if one is message]:  # the pause itself
        del pump.waiting[id], pump.needs[id]
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
            if frame.owner is not None and holder(frame.owner) is message and frame.id not in seen:
                seen.add(frame.id)
                yield frame
            frame = frame.parent


def holder(owner: Owner) -> Message | None:
    return owner.agent if isinstance(owner, ToolCall) else owner.message
