"""Addresses of the websockets."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.urls import URLPattern, path, re_path

from runtime.consumers import bundle_logs, run_logs

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def nowhere(scope: MutableMapping[str, Any], receive: Callable[[], Any], send: Send) -> None:
    """Every other address: closed before it was accepted, so the server answers 403."""
    await send({"type": "websocket.close"})


# Plain ASGI applications: channels' router takes them where Django's types expect views.
websockets: list[URLPattern] = [
    path("ws/bundles/<uuid:id>/logs", bundle_logs),  # type: ignore[arg-type]
    path("ws/executions/<uuid:id>", run_logs),  # type: ignore[arg-type]
]
everywhere: list[URLPattern] = [*websockets, re_path("", nowhere)]  # type: ignore[arg-type]
