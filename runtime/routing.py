"""Addresses of the websockets."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.urls import URLPattern, path, re_path

from runtime.consumers import bundle_logs, run_logs

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


async def nowhere(scope: MutableMapping[str, Any], receive: Callable[[], Any], send: Send) -> None:
    """Every other address: closed before it was accepted, so the server answers 403."""
    await send({"type": "websocket.close"})


async def prompt(scope: MutableMapping[str, Any], receive: Callable[[], Any], send: Send) -> None:
    from runtime import promptsocket  # with all that asks models, which many a process never does

    await promptsocket.serve(dict(scope), receive, send)


# Plain ASGI applications: channels' router takes them where Django's types expect views.
websockets: list[URLPattern] = [
    path("ws/bundles/<uuid:id>/logs", bundle_logs),  # type: ignore[arg-type]
    path("ws/executions/<uuid:id>", run_logs),  # type: ignore[arg-type]
    path("ws/prompts/<str:id>", prompt),  # type: ignore[arg-type]
]
everywhere: list[URLPattern] = [*websockets, re_path("", nowhere)]  # type: ignore[arg-type]
