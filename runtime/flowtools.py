"""Calls of an agent's tools within the pump: they outlast the agent's process, as its conversation does.

A call is known by the step of its agent, the try of that, and the name that the agent gave it. An agent that comes
back to its conversation asks again by the same name and is told what the call has come to.
"""

from typing import TYPE_CHECKING

from runtime.flowframe import UNREAD, Message, Refused, ToolCall
from runtime.flowneeds import Failure

if TYPE_CHECKING:
    from runtime.flowpump import Pump

Key = tuple[int, int, str]


def call(pump: "Pump", need: int, name: str, payload: bytes, key: str) -> int | Failure:
    """A peer of the agent that ``need`` stands for gets a message; the number of the call, its reply comes later."""
    message = pump.waiting.get(need)
    if message is None:
        return Failure("handler", "the agent is not running any more")
    wanted = (message.step, message.attempt, key)
    known = pump.tools.get(wanted)
    if known is not None:
        return joined(pump, known, message)
    node = message.node
    found = [peer for peer in node.plan.find(name) if peer.index in node.allowed]
    if not found:
        return Failure("routing", f"“{name[:100]}” is not among your peers", retryable=True)
    tool = ToolCall(node, wanted)
    try:
        frame = pump.nest(message.frame, tool)
    except Refused as refused:
        return refused.failure
    forget(pump, message.step, but=(message.attempt, turn(key)))
    pump.tools[wanted] = tool
    number = joined(pump, tool, message)
    for peer in found:
        pump.post(peer, payload, UNREAD, frame, node.name)
    pump.flush()
    return number


def joined(pump: "Pump", tool: ToolCall, message: Message) -> int:
    """The agent waits for this call, or has its answer at once."""
    pump.ids += 1
    tool.call, tool.agent = pump.ids, message
    if tool.result is not None:
        pump.replies.append((tool.call, tool.result))
    return tool.call


def turn(key: str) -> str:
    """The round of the conversation that a call is of."""
    return key.partition("_")[0]


def forget(pump: "Pump", step: int, but: tuple[int, str] | None = None) -> None:
    """Nobody asks any more for the calls of this step, but perhaps for those of one round of one try."""
    for key in [key for key in pump.tools if key[0] == step and (key[1], turn(key[2])) != but]:
        del pump.tools[key]
