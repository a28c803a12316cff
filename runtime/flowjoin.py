"""Joins: all waits until nothing else can come, any takes the first message, N takes as many.

In a cycle any and N take that many each time around, which begins when a node sends a second time.
"""

from typing import TYPE_CHECKING, Any

import orjson

from runtime.flowframe import UNREAD, Frame, Held, Message
from runtime.flowneeds import Failure
from runtime.flowsize import MAX_BYTES, TOO_LARGE

if TYPE_CHECKING:
    from runtime.flowplan import Node
    from runtime.flowpump import Pump


def enter(frame: Frame, node: "Node") -> None:
    """A message is at ``node``: the joins it may still come to have to wait for it."""
    reach = frame.reach
    if reach is None:
        reach = frame.reach = {}
    for join in node.reaches:
        reach[join] = reach.get(join, 0) + 1


def leave(pump: "Pump", frame: Frame, node: "Node") -> None:
    """A message has left ``node``: a join that waited for it alone is complete."""
    reach = frame.reach
    if reach is None:
        return
    for join in node.reaches:
        reach[join] -= 1
        if not reach[join] and frame.joins and join in frame.joins and not frame.dead:
            complete(pump, frame, join)


def bind(node: "Node", uses: set[str]) -> Any:
    return node.listener.options.get("wait", "all")


def run(pump: "Pump", node: "Node", message: Message) -> bool:
    """Hold what came, or send on what is complete."""
    frame = message.frame
    if frame.joins is None:
        frame.joins = {}
    held = frame.joins.get(node.index)
    if held is None:
        held = frame.joins[node.index] = Held(node)
        pump.holding[frame.id] = frame
    if held.passed and node.cyclic and message.sender in held.senders:  # it is the next time around
        held = frame.joins[node.index] = Held(node)
    held.senders.add(message.sender)
    if held.passed:
        pump.ended(message)
        return False
    if node.data == "any":
        held.passed = True
        pump.passed(node, message, message.payload, message.parsed)
        return False
    held.messages.append(message)
    held.size += len(message.payload)
    if held.size > MAX_BYTES:
        held.passed = True
        give_up(pump, frame, held, TOO_LARGE, counted=True)
        return True
    if node.data != "all" and len(held.messages) >= int(node.data):
        held.passed = True
        release(pump, held, in_order(held))
        return True
    assert frame.reach is not None
    frame.reach[node.index] -= 1  # it is here; what it may come to later still waits for it
    if not frame.reach[node.index]:
        complete(pump, frame, node.index)
    return True


def complete(pump: "Pump", frame: Frame, join: int) -> None:
    """Nothing else can come to the join in this frame."""
    assert frame.joins is not None
    held = frame.joins.pop(join)
    if not held.messages:
        return
    if held.node.data == "all":
        release(pump, held, by_sender(held), counted=False)
        return
    wanted, came = held.node.data, len(held.messages)
    give_up(pump, frame, held, Failure("validation", f"{came} of {wanted} messages came, and no more can"))


def give_up(pump: "Pump", frame: Frame, held: Held, failure: Failure, *, counted: bool = False) -> None:
    """What came is dealt with; the failure is told in the name of the first message."""
    first, *others = held.messages
    held.messages = []
    assert frame.reach is not None
    # Finishing them counts each off once more; the last one may still be counted as on its way to here.
    frame.reach[held.node.index] += 1 + len(others) - counted
    for message in others:
        pump.finish(message)
    pump.gave_up(first, failure)


def release(pump: "Pump", held: Held, payload: bytes, *, counted: bool = True) -> None:
    """Send on in the name of the last message; all of them are dealt with."""
    last = held.messages[-1]
    messages, held.messages = held.messages, []
    frame = last.frame
    assert frame.reach is not None
    # Finishing them counts each off once more; the last one may still be counted as on its way to here.
    frame.reach[held.node.index] += len(messages) - counted
    pump.passed(held.node, last, payload, UNREAD)
    for message in messages:
        pump.finish(message)


def by_sender(held: Held) -> bytes:
    """What each node sent by its name; a list where one sent more than once."""
    found: dict[str, list[bytes]] = {}
    for message in held.messages:
        found.setdefault(message.sender or "payload", []).append(message.payload)
    values = {
        name: orjson.Fragment(sent[0] if len(sent) == 1 else b"[" + b",".join(sent) + b"]")
        for name, sent in sorted(found.items())
    }
    return orjson.dumps(values)


def in_order(held: Held) -> bytes:
    return b"[" + b",".join(message.payload for message in held.messages) + b"]"


def unlock(pump: "Pump") -> bool:
    """Joins that wait for each other: the first one goes on. False when there is none."""
    for id, frame in list(pump.holding.items()):
        for join, held in sorted((frame.joins or {}).items()):
            if held.messages and not frame.dead:
                complete(pump, frame, join)
                return True
        pump.holding.pop(id)
    return False
