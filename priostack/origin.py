"""Which pages may open our websockets: browsers send a cookie along with whatever site asks them to."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class SameOrigin:
    """Lets in what comes from our own pages, and programs that bring a key and no Origin; 403 for the rest."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope.get("headers", ())}
        if allowed(headers.get(b"origin"), headers.get(b"host", ""), with_key=b"authorization" in headers):
            await self.application(scope, receive, send)
        else:
            await send({"type": "websocket.close"})  # before it was accepted: the server answers 403


def allowed(origin: str | None, host: str, *, with_key: bool) -> bool:
    if origin is None:
        return with_key  # no browser can leave it out, and no page can add the key's header
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    return urlsplit(origin).netloc == host != "" and ours(host)


def ours(host: str) -> bool:
    """A name that was pointed at us only in its own DNS equals its Origin, but is none of our hosts."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
