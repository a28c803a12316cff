"""Whose turn it is to write, among the threads of a process, where a database has one writer at a time (SQLite).

Who finds it busy there only tries again after up to 100 ms, and nobody stands in line: work in bulk that writes batch
after batch would keep the market's rounds out for seconds. PostgreSQL needs none of this.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

PAUSE_S = 0.001
_busy = threading.Lock()
_wanted = 0  # how many of those who go first wait or write; changed under _counting
_counting = threading.Lock()


@contextmanager
def first() -> Iterator[None]:
    """For short transactions that somebody waits for."""
    if connection.vendor != "sqlite":
        yield
        return
    _count(1)
    try:
        with _busy:
            yield
    finally:
        _count(-1)


@contextmanager
def in_bulk() -> Iterator[None]:
    """For one batch of many: those who go first are let past before it."""
    if connection.vendor != "sqlite":
        yield
        return
    while _wanted:
        time.sleep(PAUSE_S)
    with _busy:
        yield


def _count(change: int) -> None:
    global _wanted
    with _counting:
        _wanted += change
