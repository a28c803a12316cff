"""Ending background tasks for good: a cancellation that a library swallowed is simply sent again."""

import asyncio
from collections.abc import Iterable


async def end(tasks: Iterable["asyncio.Task[None]"]) -> None:
    """Cancel until done; redis-py may turn a cancellation during its connect into an error that our loops retry."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=0.2)
