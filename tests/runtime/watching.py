"""Helpers of the log tests: a running publisher, a websocket through the front door, runs with lines."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.utils import timezone

from billing.ids import uuid7
from bundles.models import Bundle
from runtime.logs import Publisher
from runtime.models import Execution
from runtime.watch import hub

ORIGIN = (b"origin", b"http://127.0.0.1:8000")


def a_bundle(tenant: Any, name: str = "shop") -> Bundle:
    return Bundle.objects.create(tenant=tenant, name=name, status="running", revision=1, live_revision=1)


def a_run(bundle: Bundle, *texts: str, status: str = "success", **fields: Any) -> Execution:
    now = timezone.now()
    at = int(now.timestamp() * 1000)
    return Execution.objects.create(
        id=uuid7(),
        tenant_id=bundle.tenant_id,
        bundle=bundle,
        revision=1,
        service="cart",
        name="add",
        target="wasm:cart:add",
        trigger="api",
        status=status,
        created=now,
        started=now,
        completed=now if status == "success" else None,
        logs=[[at, "info", text] for text in texts],
        **fields,
    )


def socket(path: str, *headers: tuple[bytes, bytes]) -> WebsocketCommunicator:
    from priostack.asgi import platform

    return WebsocketCommunicator(platform, path, headers=list(headers))


def with_key(token: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {token}".encode()


def with_session(client: Any) -> tuple[bytes, bytes]:
    return b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()


async def close_code(wire: ApplicationCommunicator) -> int:
    """The code a socket is closed with, whatever it says before."""
    while True:
        message = await wire.receive_output(5)
        if message["type"] == "websocket.close":
            return int(message["code"])


@asynccontextmanager
async def publishing() -> AsyncIterator[Publisher]:
    publisher = Publisher()
    publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()
        await hub().close()


async def watched(publisher: Publisher, thing: UUID) -> None:
    """Until the publisher has heard that somebody watches."""
    for _ in range(200):
        if str(thing) in publisher.watched:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the publisher never heard of the watcher")


def say(publisher: Publisher, bundle: Bundle, run: UUID, text: str) -> None:
    at = int(timezone.now().timestamp() * 1000)
    publisher.line(str(bundle.pk), str(run), "info", text, at, "cart", "add")
