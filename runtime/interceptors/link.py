"""What every kind of interceptor is to the chain: hooks before and after what it wraps."""

import zlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from redis.exceptions import RedisError

from runtime.answer import Reply
from runtime.interceptors.cells import Cell
from runtime.interceptors.invocation import Invocation

Run: TypeAlias = Callable[[Any], Reply]
Later: TypeAlias = Callable[[Any], Awaitable[Reply]]
# What may go wrong in a hook. An optional one is skipped then; any other ends the call.
FAILURES: tuple[type[Exception], ...] = (
    *(ValueError, LookupError, TypeError, ArithmeticError, AttributeError, OSError, RuntimeError),
    *(zlib.error, RedisError),
)


class Postponed(Exception):
    """The call has to wait for something: nothing has happened, and the chain that can wait begins anew."""


class Link:
    """The hooks that a kind does not have stay as they are here, and cost nothing."""

    at_once = True  # it never waits for anything
    reads = False  # it looks at the body of the request
    optional = False

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def before(self, call: Invocation) -> Reply | None:
        """An answer in place of what is wrapped, or None."""
        return None

    def after(self, call: Invocation, reply: Reply) -> Reply:
        return reply

    async def wait_before(self, call: Invocation) -> Reply | None:
        """As ``before``, for what has to ask somebody."""
        return None

    async def wait_after(self, call: Invocation, reply: Reply) -> Reply:
        return reply

    def around(self, inner: Later) -> Later:
        """What is wrapped, seen through this link; only where it may wait."""
        return inner

    def measured(self, inner: Run) -> Run | None:
        """A nesting of its own that counts by itself; None: the usual one."""
        return None


def hook(link: Link, name: str) -> Any:
    """The hook of that name, or None when its kind has none."""
    return getattr(link, name) if getattr(type(link), name) is not getattr(Link, name) else None
