"""A link around a call, as one closure: only what the link has is in it. Every way out is counted.

`cell` holds executions, seconds, errors and skips (cells.py); time includes what is wrapped. A failure of an optional
link's own hook is skipped; `failures` is empty for all others.
"""

from time import perf_counter as clock
from typing import Any

from runtime.answer import Reply
from runtime.interceptors.link import FAILURES, Later, Link, Postponed, Run, hook


def nested(link: Link, inner: Run) -> Run:
    """The link around a call that never waits."""
    own = link.measured(inner)
    if own is not None:
        return own
    before, after = hook(link, "before"), hook(link, "after")
    failures = FAILURES if link.optional else ()
    if before and after:
        return _both(link, inner, failures)
    if before:
        return _before(before, inner, link.cell, failures)
    return _after(after, inner, link.cell, failures) if after else _counted(inner, link.cell)


def _before(before: Any, inner: Run, cell: Any, failures: Any) -> Run:
    def run(call: Any) -> Reply:
        began = clock()
        try:
            try:
                reply = before(call)
            except failures:
                reply = None
                cell[3] += 1.0
            if reply is None:
                reply = inner(call)
        except Postponed:
            raise
        except BaseException:
            failed(cell, began)
            raise
        cell[0] += 1.0
        cell[1] += clock() - began
        if reply.status >= 500:
            cell[2] += 1.0
        return reply  # type: ignore[no-any-return]

    return run


def _after(after: Any, inner: Run, cell: Any, failures: Any) -> Run:
    def run(call: Any) -> Reply:
        began = clock()
        try:
            reply = inner(call)
            try:
                reply = after(call, reply)
            except failures:
                cell[3] += 1.0
        except Postponed:
            raise
        except BaseException:
            failed(cell, began)
            raise
        cell[0] += 1.0
        cell[1] += clock() - began
        if reply.status >= 500:
            cell[2] += 1.0
        return reply

    return run


def _both(link: Link, inner: Run, failures: Any) -> Run:
    before, after, cell = link.before, link.after, link.cell

    def run(call: Any) -> Reply:
        began = clock()
        try:
            try:
                reply = before(call)
            except failures:
                reply = None
                cell[3] += 1.0
            if reply is None:
                reply = inner(call)
                try:
                    reply = after(call, reply)
                except failures:
                    cell[3] += 1.0
        except Postponed:
            raise
        except BaseException:
            failed(cell, began)
            raise
        cell[0] += 1.0
        cell[1] += clock() - began
        if reply.status >= 500:
            cell[2] += 1.0
        return reply

    return run


def _counted(inner: Run, cell: Any) -> Run:
    def run(call: Any) -> Reply:
        began = clock()
        try:
            reply = inner(call)
        except Postponed:
            raise
        except BaseException:
            failed(cell, began)
            raise
        cell[0] += 1.0
        cell[1] += clock() - began
        if reply.status >= 500:
            cell[2] += 1.0
        return reply

    return run


def failed(cell: Any, began: float) -> None:
    cell[0] += 1.0
    cell[1] += clock() - began
    cell[2] += 1.0


def waiting(link: Link, wrapped: Later) -> Later:
    """The link around a call that may wait; one closure for all kinds: what it waits for costs more."""
    inner, cell = link.around(wrapped), link.cell
    before, after = hook(link, "before"), hook(link, "after")
    wait_before, wait_after = hook(link, "wait_before"), hook(link, "wait_after")
    failures: Any = FAILURES if link.optional else ()

    async def answered(call: Any) -> Reply | None:
        try:
            if wait_before:
                return await wait_before(call)  # type: ignore[no-any-return]
            return before(call) if before else None
        except failures:
            cell[3] += 1.0
            return None

    async def finished(call: Any, reply: Reply) -> Reply:
        try:
            if wait_after:
                return await wait_after(call, reply)  # type: ignore[no-any-return]
            return after(call, reply) if after else reply
        except failures:
            cell[3] += 1.0
            return reply

    async def run(call: Any) -> Reply:
        began = clock()
        try:
            reply = await answered(call)
            if reply is None:
                reply = await finished(call, await inner(call))
        except BaseException:
            failed(cell, began)
            raise
        cell[0] += 1.0
        cell[1] += clock() - began
        if reply.status >= 500:
            cell[2] += 1.0
        return reply

    return run
