"""Logs at the REST door: pages, server-sent events, resuming, and events that no log line can forge (A101, A102)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from billing.ids import uuid7
from bundles.models import Flow
from runtime import sse
from runtime.watch import hub
from tests.runtime.watching import a_bundle, a_run, publishing, say, watched

pytestmark = pytest.mark.django_db(transaction=True)
bundle_of = sync_to_async(a_bundle)
run_of = sync_to_async(a_run)


class Stream:
    """An open GET for text/event-stream at the front door."""

    def __init__(self, wire: ApplicationCommunicator) -> None:
        self.wire = wire
        self.status = 0
        self.text = ""

    async def until(self, needle: str) -> str:
        while needle not in self.text:
            await self.more()
        return self.text

    async def more(self) -> bool:
        message = await self.wire.receive_output(5)
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return True
        self.text += message.get("body", b"").decode()
        return bool(message.get("more_body"))

    async def end(self) -> str:
        while await self.more():
            pass
        return self.text

    def events(self) -> list[dict[str, str]]:
        blocks = [block.split("\n") for block in self.text.split("\n\n") if "data: " in block]
        return [dict(line.split(": ", 1) for line in block) for block in blocks]

    def lines(self) -> list[str]:
        return [orjson.loads(e["data"])["text"] for e in self.events() if e["event"] == "line"]


@asynccontextmanager
async def streaming(path: str, token: str, last: str = "") -> AsyncIterator[Stream]:
    from priostack.asgi import platform

    headers = [
        (b"host", b"127.0.0.1"),
        (b"accept", b"text/event-stream"),
        (b"authorization", f"Bearer {token}".encode()),
        (b"last-event-id", last.encode()),
    ]
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode()}
    wire = ApplicationCommunicator(platform, {**scope, "query_string": b"", "headers": headers})
    await wire.send_input({"type": "http.request", "body": b"", "more_body": False})
    try:
        yield Stream(wire)
    finally:
        await wire.send_input({"type": "http.disconnect"})
        await asyncio.sleep(0.05)
        wire.stop(exceptions=False)


def test_the_lines_of_a_run_come_in_pages(alice: Any) -> None:
    run = a_run(a_bundle(alice.tenant), "one", "two", "three")
    first = alice.api.get(f"/api/executions/{run.pk}/logs?limit=2").json()
    assert [line["text"] for line in first["items"]] == ["one", "two"]
    assert set(first["items"][0]) == {"at", "level", "service", "name", "execution", "text"}
    rest = alice.api.get(f"/api/executions/{run.pk}/logs?cursor={first['next']}").json()
    assert [line["text"] for line in rest["items"]] == ["three", "success · 0 CU · 0.0 ms"]
    assert rest["next"] is None


def test_the_lines_of_a_bundle_lead_back_to_older_ones(alice: Any) -> None:
    bundle = a_bundle(alice.tenant)
    for number in range(3):
        a_run(bundle, f"line {number}")
        time.sleep(0.002)  # ids sort by the millisecond
    page = alice.api.get(f"/api/bundles/{bundle.pk}/logs?limit=2").json()
    assert "line 2" in [line["text"] for line in page["items"]]
    older = alice.api.get(f"/api/bundles/{bundle.pk}/logs?limit=500&cursor={page['next']}").json()
    assert {"line 0", "line 1"} <= {line["text"] for line in older["items"]}
    assert "line 2" not in [line["text"] for line in older["items"]]
    assert older["next"] is None


@pytest.mark.parametrize("kind", ["executions", "bundles"])
def test_charlie_and_strangers_see_nothing(alice: Any, charlie: Any, client: Any, kind: str) -> None:
    bundle = a_bundle(alice.tenant)
    thing = bundle if kind == "bundles" else a_run(bundle, "secret")
    for accept in ("application/json", "text/event-stream"):
        path = f"/api/{kind}/{thing.pk}/logs"
        assert charlie.api.get(path, headers={"accept": accept}).status_code == 404
        assert client.get(path, headers={"accept": accept}).status_code == 401


async def test_a_stream_shows_what_was_then_what_comes_and_ends_with_the_run(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    run = await run_of(bundle, "before", status="running")
    async with publishing() as publisher, streaming(f"/api/executions/{run.pk}/logs", alice.token) as stream:
        await stream.until("before")
        assert stream.status == 200
        await watched(publisher, run.pk)
        say(publisher, bundle, run.pk, "live")
        await stream.until("live")
        run.status, run.logs = "success", [*run.logs, [run.logs[0][0], "info", "live"]]
        await run.asave()
        publisher.finish(str(run.pk), "success")
        await stream.end()
        assert stream.lines() == ["before", "live"]
        assert orjson.loads(stream.events()[-1]["data"]) == {"status": "success"}


async def test_no_line_can_forge_an_event(alice: Any) -> None:
    evil = "x\n\ndata: forged\r\revent: end\r\ndata: {}\x1b[2J\u2028id: 1"
    run = await run_of(await bundle_of(alice.tenant), evil)
    async with publishing(), streaming(f"/api/executions/{run.pk}/logs", alice.token) as stream:
        text = await stream.end()
        assert stream.lines()[0] == evil
        assert [event["event"] for event in stream.events()] == ["line", "line", "end"]
        assert "\r" not in text
        assert "\x1b" not in text


async def test_resuming_neither_loses_nor_repeats_lines(alice: Any) -> None:
    run = await run_of(await bundle_of(alice.tenant), "one", "two", "three")
    path = f"/api/executions/{run.pk}/logs"
    async with publishing():
        async with streaming(path, alice.token) as stream:
            await stream.end()
        for seen in range(3):
            async with streaming(path, alice.token, stream.events()[seen]["id"]) as again:
                await again.end()
            assert again.lines() == stream.lines()[seen + 1 :]


async def test_marks_of_other_streams_and_garbage_are_refused(alice: Any, charlie: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    run, other = await run_of(bundle, "mine"), await run_of(bundle, "other")
    async with publishing():
        mine = run.pk.hex
        foreign = f"{other.pk.hex}.1.{mine}.0"
        for mark in (foreign, "1", "a.b.c.d", f"{mine}.-1.{mine}.0", f"{mine}.٣.{mine}.3"):
            async with streaming(f"/api/executions/{run.pk}/logs", alice.token, mark) as stream:
                assert "Last-Event-ID" in await stream.end()
                assert stream.status == 422


async def test_a_stream_ends_with_the_key_and_leaves_nothing_behind(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "CHECK_S", 0.05)
    bundle = await bundle_of(alice.tenant)
    path = f"/api/bundles/{bundle.pk}/logs"
    async with publishing():
        async with streaming(path, alice.token) as stream:
            await stream.until("retry")
            await alice.key.adelete()
            await stream.end()
        assert hub().count == 0


async def test_streams_of_one_tenant_are_limited(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_OF_TENANT", 1)
    path = f"/api/bundles/{(await bundle_of(alice.tenant)).pk}/logs"
    async with publishing():
        async with streaming(path, alice.token) as stream:
            await stream.until("retry")
            async with streaming(path, alice.token) as second:
                await second.end()
                assert second.status == 429
        async with streaming(path, alice.token) as third:
            await third.until("retry")
            assert third.status == 200


async def test_a_reader_who_leaves_is_forgotten(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    async with publishing() as publisher:
        async with streaming(f"/api/bundles/{bundle.pk}/logs", alice.token) as stream:
            await stream.until("retry")
            await watched(publisher, bundle.pk)
            assert hub().count == 1
        for _ in range(100):
            if not hub().count:
                break
            await asyncio.sleep(0.01)
        assert hub().count == 0
        assert hub().groups == {}
        say(publisher, bundle, uuid7(), "to nobody")


async def test_the_stream_of_a_flow_has_its_lines_and_no_others(alice: Any) -> None:
    bundle = await bundle_of(alice.tenant)
    flow = await Flow.objects.acreate(bundle=bundle, name="hello", path="flows/hello.yaml")
    at, run = int(time.time() * 1000), str(uuid7())
    async with publishing() as publisher, streaming(f"/api/flows/{flow.pk}/logs", alice.token) as stream:
        await stream.more()
        await watched(publisher, bundle.pk)
        for service, name, text in (
            ("cart", "add", "not mine"),
            ("flow", "other", "not mine"),
            ("flow", "hello", "mine"),
        ):
            publisher.line(str(bundle.pk), run, "info", text, at, service, name)
        await stream.until("mine")
    assert stream.lines() == ["mine"]
