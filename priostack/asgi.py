"""The front door: `/{tenant}/…` and webhooks go to the raw data plane, everything else to Django and Channels."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

django = get_asgi_application()

from billing.slugs import GRAMMAR, RESERVED  # noqa: E402  models need the apps to be loaded
from market.routing import websockets as market_websockets  # noqa: E402
from priostack.origin import SameOrigin  # noqa: E402
from runtime import webhooks  # noqa: E402
from runtime.gateway import gateway  # noqa: E402
from runtime.routing import everywhere  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

gateway.role = "web"
pages = cast(Application, django)
# Channels has no annotations of its own
sockets: Application = SameOrigin(AuthMiddlewareStack(URLRouter([*market_websockets, *everywhere])))  # type: ignore[no-untyped-call]
platform: Application = ProtocolTypeRouter({"http": pages, "websocket": sockets})  # type: ignore[no-untyped-call]


def is_tenant(path: str) -> bool:
    """Whether it begins with what could be a tenant: the slug grammar, not one of our own routes, and more behind it.

    A lone segment is a mistyped page, which a person should be told as a page.
    """
    segment, more, _ = path[1:].partition("/")
    return more != "" and segment not in RESERVED and GRAMMAR.fullmatch(segment) is not None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    kind = scope["type"]
    if kind == "http":
        if webhooks.is_webhook(scope["path"]) or is_tenant(scope["path"]):
            await gateway(scope, receive, send)
        else:
            await pages(scope, receive, send)
    elif kind == "lifespan":
        await gateway.lifespan(receive, send)
    else:
        await platform(scope, receive, send)
