"""Websockets and streams for those who may not: foreign pages, foreign ids, names that are none, rights that end
(A097–A099, A102)."""

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async

from billing.models import Membership
from runtime import consumers
from tests.attacks import door
from tests.runtime.watching import (
    ORIGIN,
    a_bundle,
    a_run,
    close_code,
    publishing,
    socket,
    with_key,
    with_session,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_redis")]
FOREIGN = (
    b"https://evil.example", b"null", b"http://127.0.0.1.evil.example", b"http://evil127.0.0.1:8000", b"file://",
    b"http://127.0.0.1:8000@evil.example", b"http://127.0.0.1:80001", b"", b"HTTP://evil", b"chrome-extension://abc",
)  # fmt: skip


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_foreign_page_cannot_open_a_socket_with_the_cookie(alice: Any, origin: bytes) -> None:
    bundle = await sync_to_async(a_bundle)(alice.tenant)
    for path in (f"/ws/bundles/{bundle.pk}/logs", f"/ws/executions/{uuid4()}"):
        wire = socket(path, (b"origin", origin), (b"host", b"127.0.0.1:8000"), with_session(alice.client))
        accepted, _ = await wire.connect(5)
        assert not accepted


async def test_a_page_whose_name_points_at_us_is_foreign_too(alice: Any) -> None:
    """DNS rebinding: Host and Origin agree with each other, but not with our settings."""
    bundle = await sync_to_async(a_bundle)(alice.tenant)
    rebound = (b"origin", b"http://rebound.example:8000"), (b"host", b"rebound.example:8000")
    wire = socket(f"/ws/bundles/{bundle.pk}/logs", *rebound, with_session(alice.client))
    assert not (await wire.connect(5))[0]


@pytest.mark.parametrize(
    "path",
    [
        "/ws/bundles/*/logs", "/ws/bundles/00000000/logs", "/ws/executions/run.x", "/ws/executions/..%2f", "/ws/market/x",
        "/ws/", "/ws/bundles/{id}/logs/x", "/ws//bundles/{id}/logs", "/ws/bundles/{id}", "/alice/ws",
    ],
)  # fmt: skip
async def test_names_that_are_none_open_nothing(alice: Any, path: str) -> None:
    bundle = await sync_to_async(a_bundle)(alice.tenant)
    wire = socket(path.replace("{id}", str(bundle.pk)), ORIGIN, with_key(alice.token))
    accepted, _ = await wire.connect(5)
    assert not accepted


async def test_a_run_is_no_bundle_and_a_bundle_no_run(alice: Any, charlie: Any) -> None:
    bundle = await sync_to_async(a_bundle)(alice.tenant)
    run = await sync_to_async(a_run)(bundle, "secret")
    async with publishing():
        for path in (
            f"/ws/bundles/{run.pk}/logs",
            f"/ws/executions/{bundle.pk}",
            f"/ws/executions/{uuid4()}",
        ):
            wire = socket(path, ORIGIN, with_key(alice.token))
            await wire.connect(5)
            assert await close_code(wire) == 4404


async def test_an_ended_membership_and_a_smaller_key_close_what_is_open(
    alice: Any, bob: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "ROUND_S", 0.05)
    bundle = await sync_to_async(a_bundle)(alice.tenant)
    async with publishing():
        path = f"/ws/bundles/{bundle.pk}/logs"
        wires = [socket(path, ORIGIN, with_key(alice.token)), socket(path, ORIGIN, with_session(bob.client))]
        for wire in wires:
            await wire.connect(5)
            await wire.receive_json_from(5)
        alice.key.scopes = ["call"]
        await alice.key.asave()
        await Membership.objects.filter(user=bob.user).adelete()
        for wire in wires:
            assert await close_code(wire) == 4403


STREAM = (("accept", "text/event-stream"),)


async def test_streams_are_for_those_who_may_and_marks_of_other_runs_are_refused(
    alice: Any, charlie: Any
) -> None:
    bundle = await sync_to_async(a_bundle)(alice.tenant)
    run = await sync_to_async(a_run)(bundle, "secret")
    for path in (f"/api/executions/{run.pk}/logs", f"/api/bundles/{bundle.pk}/logs"):
        assert (await door.knock("GET", path, headers=STREAM)).status == 401
        foreign = await door.knock("GET", path, token=charlie.token, headers=STREAM)
        assert foreign.status == 404
        assert b"secret" not in foreign.body
        forged = (*STREAM, ("last-event-id", f"{uuid4()}:1:0\n\ndata: x"))
        assert (await door.knock("GET", path, token=alice.token, headers=forged)).status in {400, 422}
