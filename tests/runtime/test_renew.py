"""A tenant that changes while it is being read."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing.live import touch
from runtime import live as living
from runtime.live import Tenants
from tests.runtime import stage

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def running(alice: Any) -> Any:
    return stage.run_bundle(alice, stage.bundle_files("s", ["echo"], POST_e="wasm:echo:run"))


async def test_a_change_in_the_middle_of_reading_is_not_missed(
    alice: Any, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants = Tenants()
    first = await tenants.load("alice")
    assert first is not None
    begun, may_end = asyncio.Event(), asyncio.Event()
    real = tenants.read

    async def slow(slug: str) -> Any:
        found = await real(slug)
        begun.set()
        await may_end.wait()
        return found

    monkeypatch.setattr(tenants, "read", slow)
    reading = asyncio.create_task(tenants.load("alice"))
    await begun.wait()
    await sync_to_async(touch)(alice.tenant.pk)
    changed = asyncio.create_task(tenants.changed(str(alice.tenant.pk)))
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(reading, changed)
    assert tenants.known["alice"].version == first.version + 1


async def test_those_who_want_it_anew_at_once_read_it_once(
    alice: Any, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants, builds = Tenants(), []
    await tenants.load("alice")
    await sync_to_async(touch)(alice.tenant.pk)
    real = living.build
    monkeypatch.setattr(living, "build", lambda slug: builds.append(slug) or real(slug))
    await asyncio.gather(
        tenants.changed(str(alice.tenant.pk)), tenants.fresh("alice"), tenants.fresh("alice")
    )
    assert builds == ["alice"]


async def test_who_asks_after_a_change_gets_nothing_that_was_being_read_before_it(
    alice: Any, running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenants, real, joined = Tenants(), living.build, []
    loop = asyncio.get_running_loop()

    def slow(slug: str) -> Any:
        found = real(slug)
        if not joined:  # the change is committed and told while the first reading is on its way
            touch(alice.tenant.pk)
            tenants.forget(str(alice.tenant.pk))
            asked = asyncio.run_coroutine_threadsafe(joining(), loop)
            asked.result(10)
        return found

    async def joining() -> None:
        joined.append(asyncio.create_task(tenants.load("alice")))

    monkeypatch.setattr(living, "build", slow)
    first = await tenants.load("alice")
    second = await joined[0]
    await sync_to_async(alice.tenant.refresh_from_db)()
    assert first is second is tenants.known["alice"]
    assert second.version == alice.tenant.version
