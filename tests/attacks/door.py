"""The front door as an attacker meets it: raw paths, raw headers, bodies in pieces, through the real ASGI application."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from django.apps import apps
from django.conf import settings

from billing.redis import redis
from priostack.asgi import application
from runtime.gateway import gateway
from tests.runtime.stage import Answer

OURS = ("billing", "bundles", "market", "runtime")
Header = tuple[str, str]


def counts() -> dict[str, int]:
    models = [model for model in apps.get_models() if model._meta.app_label in OURS]
    return {model.__name__: model._default_manager.count() for model in models}


def stored() -> dict[bytes, Any]:
    """All state that bundles keep."""
    return {key: redis().hgetall(key) for key in redis().keys("tenant:*:kv:data")}


def files() -> set[Path]:
    """Everything in the data directory that uploads could leave behind."""
    return {
        path for name in ("files", "tmp") for path in (settings.DATA_DIR / name).rglob("*") if path.is_file()
    }


def scope_of(method: str, target: str, headers: list[Header]) -> dict[str, Any]:
    raw, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": unquote_to_bytes(raw).decode("utf-8", "replace"),
        "raw_path": raw.encode("latin-1", "replace"),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }


async def knock(
    method: str,
    target: str,
    *,
    token: str | None = None,
    body: bytes = b"",
    headers: tuple[Header, ...] = (),
    broken_off: bool = False,
    to: Callable[..., Any] = application,
) -> Answer:
    """One request; ``broken_off`` sends the body announced as longer, then hangs up."""
    sent: list[Header] = [*headers]
    if not any(name == "host" for name, _ in headers):
        sent.append(("host", "127.0.0.1"))
    if token:
        sent.append(("authorization", f"Bearer {token}"))
    if body:
        sent.append(("content-length", str(len(body) + (100 if broken_off else 0))))
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": broken_off}]
    out: list[Any] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop(0)
        if not broken_off:
            await asyncio.sleep(60)  # the client waits for its answer
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        out.append(message)

    await asyncio.wait_for(to(scope_of(method, target, sent), receive, send), 30)
    if not out:
        return Answer(0, [], b"")
    return Answer(out[0]["status"], out[0]["headers"], b"".join(part.get("body", b"") for part in out[1:]))


async def leave() -> None:
    """End the gateway's tasks, which belong to the loop of one test."""
    if gateway.waist is not None:
        await gateway.stop()
    gateway.tenants.known.clear()
    gateway.tenants.misses.clear()
