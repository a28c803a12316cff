"""`/{tenant}/openapi.json`: what the caller may call at present, described for tools."""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from django.conf import settings

from billing.errors import ApiError
from bundles import openapi
from bundles.routes import Route, routes_of
from runtime.answer import JSON, Reply
from runtime.exchange import Asked, Given
from runtime.live import Live
from runtime.reply import bare
from runtime.strangers import throttled

if TYPE_CHECKING:
    from runtime.gateway import Gateway

KEPT = 64  # documents in a process
METHODS = ("GET", "HEAD")
State = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A document as bytes, and of what state of the tenant it tells."""

    state: State
    data: bytes
    etag: str


_written: "OrderedDict[tuple[str, bool], Written]" = OrderedDict()


async def respond(live: Live, parts: tuple[str, ...], asked: Asked, gateway: "Gateway") -> Given | None:
    """Everything for the tenant's keys; what is public for strangers, who hear 401 when nothing is."""
    if len(parts) != 1:
        return None
    stranger = asked.token is None and has_public(live)
    if stranger:
        await throttled(live, asked.peer)
    else:
        grant = await gateway.known(live, asked.token, live.slug)
        gateway.used.add(grant.id)
    if asked.method not in METHODS:
        raise ApiError(405, "This document answers GET.", headers={"Allow": ", ".join(METHODS)})
    return answer(asked, await written(live, public=stranger))


def answer(asked: Asked, found: Written) -> Given:
    head = [("etag", found.etag), ("cache-control", "private, no-cache"), ("vary", "authorization")]
    if found.etag in [one.strip() for one in asked.headers.get("if-none-match", "").split(",")]:
        return bare(asked, Reply(304, b"", JSON, head), [])
    return bare(asked, Reply(200, found.data, JSON, head), [])


async def written(live: Live, *, public: bool) -> Written:
    """Made once for what runs at present; large ones take a while, so in a thread."""
    key, state = (live.tenant_id, public), state_of(live)
    found = _written.get(key)
    if found is None or found.state != state:
        data = await asyncio.to_thread(described, live, public=public)
        found = Written(state, data, f'W/"{hashlib.sha256(data).hexdigest()[:32]}"')
        _written[key] = found
    _written.move_to_end(key)
    while len(_written) > KEPT:
        _written.popitem(last=False)
    return found


def state_of(live: Live) -> State:
    """Equal as long as the same runs: the version counts every change of the tenant."""
    return (
        live.version,
        *sorted((one.id, one.revision) for one in live.bundles.values()),
        *sorted(live.flows),
    )


def described(live: Live, *, public: bool) -> bytes:
    found = openapi.document(
        live.slug,
        f"{settings.BASE_URL}/{live.slug}",
        routes=routes(live),
        prompts=[prompt for _, prompt in live.prompts.values() if not prompt.fault],
        version="1" if public else revisions(live),
        public=public,
    )
    return orjson.dumps(found)


def has_public(live: Live) -> bool:
    every = (service for bundle in live.bundles.values() for service in bundle.definition.services)
    return any(endpoint.auth == "public" for service in every for endpoint in service.endpoints)


def routes(live: Live) -> list[Route]:
    every = [service for bundle in live.bundles.values() for service in bundle.definition.services]
    return [route for service in every for route in routes_of(service)]


def revisions(live: Live) -> str:
    return ", ".join(sorted(f"{one.name} {one.revision}" for one in live.bundles.values())) or "0"
