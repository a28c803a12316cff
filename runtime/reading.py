"""What the data plane reads of the database while somebody waits: on threads that keep their connection.

Opening SQLite anew takes longer than most of what is read. PostgreSQL has its pool, so there nothing is kept.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, connection

THREADS = 4  # some may wait for a module that is being compiled
P = ParamSpec("P")
T = TypeVar("T")
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reading")


async def read(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """``work(…)`` on one of these threads; it must leave no transaction open."""
    wanted = partial(work, *args, **named)
    return await asyncio.get_running_loop().run_in_executor(_threads, _kept, wanted)


def _kept(work: Callable[[], T]) -> T:
    try:
        return work()
    except DatabaseError:
        connection.close()  # the next one begins with a new connection
        raise
    finally:
        if connection.vendor != "sqlite":
            connection.close()
