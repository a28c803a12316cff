"""Websockets of live logs: who may watch, what arrives, and what a hostile client cannot do."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from billing.ids import uuid7
from runtime import consumers, websocket
from tests.runtime.watching import (
    ORIGIN,
    a_bundle,
    a_run,
    close_code,
    publishing,
    say,
    socket,
    watched,
    with_key,
    with_session,
)

pytestmark = pytest.mark.django_db(transaction=True)
bundle_of = sync_to_async(a_bundle)
run_of = sync_to_async(a_run)


async def opened(path: str, *headers: tuple[bytes, bytes]) -> Any:
    wire = socket(path, *headers)
    accepted, _ = await wire.connect(5)
    assert accepted
    return wire


async def test_recent_lines_come_first_and_live_ones_follow(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    run = await run_of(bundle, "from the history")
    async with publishing() as publisher:
        wire = await opened(f"/ws/bundles/{bundle.pk}/logs", ORIGIN, with_key(alice.token))
        first = await wire.receive_json_from(5)
        assert [line["text"] for line in first["lines"]] == ["from the history", "success · 0 CU · 0.0 ms"]
        assert first["lines"][0]["execution"] == str(run.pk)
        await watched(publisher, bundle.pk)
        say(publisher, bundle, uuid7(), "live")
        (line,) = (await wire.receive_json_from(5))["lines"]
        assert (line["text"], line["level"], line["service"], line["name"]) == ("live", "info", "cart", "add")
        await wire.disconnect()


async def test_a_line_already_shown_from_the_history_does_not_come_again(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    run = await run_of(bundle, "once")
    async with publishing() as publisher:
        wire = await opened(f"/ws/bundles/{bundle.pk}/logs", ORIGIN, with_session(alice.client))
        await wire.receive_json_from(5)
        await watched(publisher, bundle.pk)
        say(publisher, bundle, run.pk, "once")
        say(publisher, bundle, run.pk, "new")
        assert [line["text"] for line in (await wire.receive_json_from(5))["lines"]] == ["new"]
        await wire.disconnect()


async def test_the_socket_of_a_run_ends_with_its_status_and_every_line(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    run = await run_of(bundle, "one", "two", status="running")
    async with publishing() as publisher:
        wire = await opened(f"/ws/executions/{run.pk}", ORIGIN, with_key(alice.token))
        assert len((await wire.receive_json_from(5))["lines"]) == 2
        await watched(publisher, run.pk)
        say(publisher, bundle, run.pk, "three")
        assert [line["text"] for line in (await wire.receive_json_from(5))["lines"]] == ["three"]
        run.logs += [[run.logs[0][0], "info", text] for text in ("three", "never came live")]
        run.status = "success"
        await run.asave()
        publisher.finish(str(run.pk), "success")
        assert [line["text"] for line in (await wire.receive_json_from(5))["lines"]] == ["never came live"]
        assert await wire.receive_json_from(5) == {"status": "success"}
        assert await close_code(wire) == websocket.ENDED


async def test_a_run_that_ended_where_nobody_could_tell_is_noticed(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "ROUND_S", 0.05)
    bundle = await bundle_of(alice.tenant)
    run = await run_of(bundle, status="running")
    async with publishing():
        wire = await opened(f"/ws/executions/{run.pk}", with_key(alice.token), ORIGIN)
        await wire.receive_json_from(5)
        run.status = "timeout"
        await run.asave()
        assert await wire.receive_json_from(5) == {"status": "timeout"}


async def test_strangers_and_foreign_tenants_are_refused(alice: Any, charlie: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    run = await run_of(bundle, "secret")
    for path in (f"/ws/bundles/{bundle.pk}/logs", f"/ws/executions/{run.pk}"):
        for headers, code in (
            ([ORIGIN], 4401),
            ([ORIGIN, with_key("ps_wrong")], 4401),
            ([ORIGIN, with_key(charlie.token)], 4404),
            ([ORIGIN, with_session(charlie.client)], 4404),
        ):
            wire = await opened(path, *headers)
            message = await wire.receive_output(5)
            assert (message["type"], message.get("code")) == ("websocket.close", code)


async def test_another_site_cannot_use_the_cookie(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    evil = (b"origin", b"https://evil.example")
    for headers in (
        [evil, with_session(alice.client)],
        [with_session(alice.client)],
        [evil, with_key(alice.token)],
    ):
        accepted, _ = await socket(f"/ws/bundles/{bundle.pk}/logs", *headers).connect(5)
        assert not accepted


async def test_a_program_with_a_key_needs_no_origin(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    async with publishing():
        wire = await opened(f"/ws/bundles/{bundle.pk}/logs", with_key(alice.token))
        assert await wire.receive_json_from(5) == {"lines": []}


async def test_a_deleted_key_and_a_logout_close_open_sockets(
    alice: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "ROUND_S", 0.05)
    bundle = await bundle_of(alice.tenant)
    async with publishing():
        path = f"/ws/bundles/{bundle.pk}/logs"
        by_key = await opened(path, ORIGIN, with_key(alice.token))
        by_session = await opened(path, ORIGIN, with_session(alice.client))
        member = await opened(path, ORIGIN, with_session(bob.client))
        for wire in (by_key, by_session, member):
            await wire.receive_json_from(5)
        await asyncio.sleep(0.2)
        await alice.key.adelete()
        await sync_to_async(alice.client.logout)()
        await bob.tenant.memberships.filter(user=bob.user).adelete()
        for wire in (by_key, by_session, member):
            assert await close_code(wire) == websocket.FORBIDDEN


async def test_large_frames_and_floods_end_the_socket(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    async with publishing():
        path = f"/ws/bundles/{bundle.pk}/logs"
        large = await opened(path, ORIGIN, with_key(alice.token))
        await large.send_to(text_data="x" * 5000)
        assert await close_code(large) == 1009
        flood = await opened(path, ORIGIN, with_key(alice.token))
        for _ in range(websocket.MAX_FRAMES + 1):
            await flood.send_to(text_data="x")
        assert await close_code(flood) == 1008


async def test_more_watchers_than_a_tenant_may_have_are_turned_away(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.watch.MAX_OF_TENANT", 1)
    bundle = await bundle_of(alice.tenant)
    async with publishing():
        path = f"/ws/bundles/{bundle.pk}/logs"
        first = await opened(path, ORIGIN, with_key(alice.token))
        await first.receive_json_from(5)
        second = await opened(path, ORIGIN, with_key(alice.token))
        assert await close_code(second) == 1013
        await first.disconnect()
        third = await opened(path, ORIGIN, with_key(alice.token))
        assert "lines" in await third.receive_json_from(5)
