"""Leaders in threads and processes, and a process of callers that holds tickets: all of it real."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import override_settings

from billing.ids import uuid7
from billing.models import Journal, Leg, Tenant
from billing.redis import redis
from market import office
from market.client import Client
from market.leader import Driver
from market.local import Local
from market.rules import Settings
from market.ticket import Ticket
from market.wire import Waiting

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 0.25
RULES = Settings(threshold=2, slots=2, free_lane=0)


def database_url() -> str:
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite://{found['NAME']}"
    host = found["HOST"] or "localhost"
    query = f"?host={host}" if host.startswith("/") else ""
    where = "" if query else f"{host}:{found['PORT'] or 5432}"
    who = found["USER"] + (f":{found['PASSWORD']}" if found["PASSWORD"] else "")
    port = f"&port={found['PORT']}" if query and found["PORT"] else ""
    return f"postgresql://{who}@{where}/{found['NAME']}{query}{port}"


def start(step: str, *more: object, module: str = "tests.market.doomed") -> "subprocess.Popen[str]":
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "DJANGO_SETTINGS_MODULE": "priostack.settings",
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "PRIOSTACK_DATA_DIR": str(settings.DATA_DIR),
        "PRIOSTACK_ROUND_SECONDS": str(SECONDS),
        "PRIOSTACK_MARKET_THRESHOLD": str(RULES.threshold),
        "PRIOSTACK_MARKET_SLOTS": str(RULES.slots),
        "PRIOSTACK_MARKET_FREE_LANE": str(RULES.free_lane),
    }
    argv = [sys.executable, "-m", module, step, *map(str, more or (1,))]
    found = subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert found.stdout is not None
    assert found.stdout.readline() == "ready\n"
    return found


@contextmanager
def figures(rules: Settings = RULES) -> Iterator[None]:
    with override_settings(MARKET=rules, ROUND_SECONDS=SECONDS):
        yield


@contextmanager
def leading() -> Iterator[Driver]:
    driver = Driver()
    driver.start()
    try:
        yield driver
    finally:
        driver.stop()


@contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    try:
        yield
    finally:
        process.kill()
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def lease_ends() -> None:
    """As after its three seconds."""
    redis().delete(office.LEASE)


class Callers:
    """One process of the data plane, reduced to its side of the market."""

    def __init__(self) -> None:
        self.client = Client(Local())
        self.tickets: list[Ticket] = []
        self.needs: dict[str, int] = {}

    async def __aenter__(self) -> "Callers":
        await self.client.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.stop()

    def call(self, owner: Tenant, need: int, **more: Any) -> Ticket:
        now = time.time_ns() // 1_000_000
        wait = more.pop("wait", 60_000)
        given: dict[str, Any] = {
            "id": str(uuid7()),
            "tenant": str(owner.pk),
            "service": f"{owner.pk}/{len(self.tickets)}",
            "need": need,
            "left": need,
            "submitted": now,
            "deadline": now + wait,
            "max_wait": wait,
            "priority": 1,
            "fallback": "queue",
            "ceiling": None,
            "auto_bid": None,
            "bundle": str(owner.pk),
        }
        ticket = self.client.enter(Waiting(**(given | more)), 0)
        self.tickets.append(ticket)
        self.needs[ticket.action.id] = need
        return ticket

    async def until(self, done: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, [(t.action, t.allowed, t.ending) for t in self.tickets]
            await asyncio.sleep(0.01)

    def served(self) -> bool:
        return all(ticket.action.left == 0 for ticket in self.tickets)

    async def all_served(self, seconds: float = 30) -> None:
        await self.until(self.served, seconds)
        await asyncio.sleep(0.1)  # what would come twice comes now

    def allowed_is_needed(self) -> bool:
        return all(ticket.allowed == self.needs[ticket.action.id] for ticket in self.tickets)

    def charged(self) -> int:
        return sum(ticket.charged for ticket in self.tickets)


def revenue() -> int:
    return sum(Leg.objects.filter(account="revenue").values_list("amount", flat=True))


def round_keys() -> list[str]:
    return list(Journal.objects.filter(kind="round").values_list("key", flat=True))
