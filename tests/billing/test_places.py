"""Places that are shared fairly: one owner leaves half of them free, and those who wait take turns."""

import asyncio
import socket
import threading
import time
from typing import Any

import pytest

from billing import pool as pools
from billing.egress import EgressFailed, afetch
from billing.places import Places
from tests.billing.listener import Listener, reply


async def held(places: Places, owner: str, count: int) -> list[asyncio.Task[None]]:
    """So many who want a place; those that are done have one."""
    tasks = [asyncio.create_task(places.take(owner, time.monotonic() + 5)) for _ in range(count)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return tasks


async def ended(*groups: list[asyncio.Task[None]]) -> None:
    for task in [task for group in groups for task in group]:
        task.cancel()
    await asyncio.gather(*(task for group in groups for task in group), return_exceptions=True)


async def test_one_owner_gets_half_and_another_one_comes_in_at_once() -> None:
    places = Places(100)
    first = await held(places, "a", 300)
    assert places.busy == 50
    second = await held(places, "b", 300)
    assert places.held == {"a": 50, "b": 25}
    third = await held(places, "c", 3)
    assert places.held["c"] == 3
    await ended(first, second, third)


async def test_the_platform_itself_has_all() -> None:
    places = Places(4)
    tasks = await held(places, "", 9)
    assert (places.busy, places.held) == (4, {"": 4})
    await ended(tasks)


async def test_whoever_waits_takes_turns_with_the_others() -> None:
    places, order = Places(2), []

    async def one(owner: str) -> None:
        await places.take(owner, time.monotonic() + 5)
        order.append(owner)
        await asyncio.sleep(0.001)
        places.leave(owner)

    await asyncio.gather(*(one(owner) for owner in ["a"] * 30 + ["b"] * 5))
    assert places.idle
    assert max(at for at, owner in enumerate(order) if owner == "b") < 14


async def test_whoever_gives_up_leaves_nothing_behind() -> None:
    places = Places(2)
    await places.take("a", time.monotonic() + 1)
    with pytest.raises(TimeoutError):
        await places.take("a", time.monotonic() + 0.02)
    waiting = await held(places, "a", 3)
    waiting[0].cancel()
    await asyncio.sleep(0)
    places.leave("a")
    waiting[1].cancel()  # in the moment in which it was called
    await asyncio.gather(*waiting, return_exceptions=True)
    assert waiting[1].cancelled()
    assert places.held == {"a": 1}
    places.leave("a")
    assert places.idle


async def test_a_tenant_with_a_slow_server_leaves_the_way_open_for_others(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "MOST_TO_ONE", 8)
    slow, release = 0, threading.Event()

    def answer(connection: socket.socket, request: bytes) -> None:
        nonlocal slow
        if b"/slow" in request:
            slow += 1
            release.wait(20)
        connection.sendall(reply())

    with Listener(answer) as listener:
        settings.EGRESS_ALLOW = [listener.place]
        hog = [asyncio.create_task(afetch("GET", listener.url("/slow"), tenant="hog")) for _ in range(20)]
        async with asyncio.timeout(10):
            while slow < 4:
                await asyncio.sleep(0.01)
            for _ in range(5):
                assert (await afetch("GET", listener.url("/quick"), tenant="other")).status == 200
        assert slow == 4
        with pytest.raises(EgressFailed, match="this host at present"):
            await afetch("GET", listener.url("/slow"), tenant="hog", timeout=0.1)
        release.set()
        assert [one.status for one in await asyncio.gather(*hog)] == [200] * 20
