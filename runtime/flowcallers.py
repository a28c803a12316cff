"""Agents of a run that wait for their tools: each call with who wants its answer."""

import asyncio
from collections.abc import Container
from typing import TYPE_CHECKING

from runtime.flowframe import Frame, ToolCall
from runtime.flowneeds import Failure, Need

if TYPE_CHECKING:
    from runtime.flowpump import Pump

Answer = bytes | Failure


class Callers:
    """The open calls of one driver's agents."""

    def __init__(self, pump: "Pump") -> None:
        self.pump = pump
        self.open: dict[int, tuple[int, asyncio.Future[Answer]]] = {}  # call -> the agent's need, its answer

    async def call(self, need: Need, name: str, payload: bytes, key: str) -> Answer:
        """A message to a peer, and what that answers."""
        call = self.pump.call(need.id, name, payload, key)
        if isinstance(call, Failure):
            return call
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.open[call] = need.id, future
        try:
            return await future
        finally:
            self.open.pop(call, None)

    def tell(self) -> None:
        """The answers that came go to those who wait."""
        for call, result in self.pump.replies:
            _, future = self.open.get(call, (0, None))
            if future is not None and not future.done():
                future.set_result(result)
        self.pump.replies.clear()

    def asleep(self, tasks: Container[int]) -> bool:
        """Whether all these tasks are agents that only wait for tools, which themselves wait for a time or a person."""
        return not self.working(tasks) and any(need.due is not None for need in self.pump.needs.values())

    def working(self, tasks: Container[int]) -> list[int]:
        """The needs that somebody does something for: not the agents that wait for answers of their tools."""
        waiting = {need for need, _ in self.open.values()}
        heard = {need for need, future in self.open.values() if future.done()}
        return [id for id in self.pump.needs if id in tasks and (id not in waiting or id in heard)]

    def waits_above(self, need: Need) -> bool:
        """Whether this agent is asked, over whatever ways, by its own tool call: agents that ask each other never end."""
        message = self.pump.waiting[need.id]
        frame: Frame | None = message.frame
        while frame is not None:
            owner = frame.owner
            if isinstance(owner, ToolCall) and owner.node is message.node and owner.is_open(self.pump):
                return True
            frame = frame.parent
        return False
