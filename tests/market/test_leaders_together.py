"""Leaders, stores and databases that come and go under load: each grant once, each payment once (issue 4, §6)."""

import asyncio
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings

from billing import wallet
from billing.models import Tenant
from billing.redis import redis
from market.models import Leadership, Round
from tests.conftest import valkey_binary
from tests.market.leaders import (
    Callers,
    ended,
    figures,
    leading,
    lease_ends,
    revenue,
    round_keys,
    start,
)
from tests.market.running import balance, tenant

pytestmark = pytest.mark.django_db(transaction=True)
Scene = Callable[[list[Tenant]], Any]


def owners(count: int = 4, credits: int = 1_000) -> list[Tenant]:
    return [tenant(f"t{number}", credits, auto_bid=True) for number in range(count)]


def played(scene: Scene, count: int = 4) -> Callers:
    """The scene, and then: everything was served as often as it was paid for."""
    with figures():
        people = owners(count)
        callers: Callers = asyncio.run(scene(people))
        reconnect()
    spent = sum(1_000 - balance(owner) for owner in people)
    assert callers.allowed_is_needed()
    assert callers.charged() == revenue() == spent
    assert callers.charged() > 0
    assert len(round_keys()) == len(set(round_keys())) == Round.objects.filter(price__gt=0).count()
    assert wallet.check() == []
    return callers


def reconnect() -> None:
    """A scene may cut every connection, those that wait in the pool too."""
    for _ in range(30):
        try:
            connection.ensure_connection()
            connection.cursor().execute("SELECT 1")
            return
        except OperationalError:
            connection.close()


@asynccontextmanager
async def calling(people: list[Tenant], need: int = 1_700) -> AsyncIterator[Callers]:
    async with Callers() as callers:
        for owner in people:
            for _ in range(2):
                callers.call(owner, need)
        yield callers


@pytest.mark.usefixtures("clean_redis")
def test_two_leaders_at_once_are_one() -> None:
    async def scene(people: list[Tenant]) -> Callers:
        other = await asyncio.to_thread(start, "never")
        with ended(other), leading(), leading():
            async with calling(people) as callers:
                await callers.all_served()
                return callers

    played(scene)
    assert Leadership.objects.get().term == 1


@pytest.mark.usefixtures("clean_redis")
def test_leaders_that_lose_their_lease_again_and_again_pay_nothing_twice() -> None:
    """Both believe to lead for a moment; the database lets one of them write."""

    async def scene(people: list[Tenant]) -> Callers:
        other = await asyncio.to_thread(start, "never")
        with ended(other), leading():
            async with calling(people) as callers:
                for _ in range(6):
                    await asyncio.sleep(0.4)
                    lease_ends()
                await callers.all_served()
                return callers

    played(scene)
    assert Leadership.objects.get().term > 1


@pytest.fixture
def store(tmp_path: Path) -> Iterator["Store"]:
    found = Store(tmp_path)
    with found.open():
        yield found


class Store:
    """A Valkey of the test's own, which keeps nothing."""

    def __init__(self, home: Path) -> None:
        self.home, self.socket = home, home / "s.sock"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        argv = [valkey_binary(), "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.home)]
        self.process = subprocess.Popen([*argv, "--save", ""], stdout=subprocess.DEVNULL)
        while not self.socket.exists():
            time.sleep(0.01)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.socket.unlink(missing_ok=True)

    @contextmanager
    def open(self) -> Iterator[None]:
        self.start()
        with override_settings(REDIS_URL=f"unix://{self.socket}"):
            redis.cache_clear()
            try:
                yield
            finally:
                self.kill()
                redis.cache_clear()


def test_a_store_that_restarts_empty_costs_time_and_nothing_else(store: Store) -> None:
    async def scene(people: list[Tenant]) -> Callers:
        with leading():
            async with calling(people) as callers:
                for _ in range(2):
                    await asyncio.sleep(0.7)
                    await asyncio.to_thread(store.kill)
                    await asyncio.sleep(0.2)
                    await asyncio.to_thread(store.start)
                    await asyncio.sleep(1.2)
                await callers.all_served()
                return callers

    played(scene)


def connected() -> list[int]:
    """PostgreSQL's processes for us: threads of earlier tests may still hold some, which is their own affair."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [pid for (pid,) in cursor.fetchall()]


def disturb(ending: threading.Event, spared: list[int]) -> None:
    """PostgreSQL: every new connection is cut again and again. SQLite: somebody holds the only lock."""
    try:
        while not ending.wait(0.4):
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL(%s)",
                        [spared],
                    )
                else:
                    cursor.execute("BEGIN IMMEDIATE")
                    time.sleep(0.6)
                    cursor.execute("ROLLBACK")
    finally:
        connection.close()


@pytest.mark.usefixtures("clean_redis")
def test_a_database_that_goes_away_in_the_middle_of_rounds() -> None:
    ending = threading.Event()
    breaker = threading.Thread(target=disturb, args=[ending, connected()])

    async def scene(people: list[Tenant]) -> Callers:
        with leading():
            async with calling(people, 2_600) as callers:
                breaker.start()
                await asyncio.sleep(3)
                ending.set()
                await callers.all_served()
                return callers

    try:
        played(scene)
    finally:
        ending.set()
        breaker.join(10)
