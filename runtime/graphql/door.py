"""`/{tenant}/graphql`: who may ask; everything else is loaded when somebody asks for the first time."""

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from runtime.exchange import Asked, Given
from runtime.live import Live

if TYPE_CHECKING:
    from runtime.gateway import Gateway

HEAVY = "runtime.graphql.serve"  # with graphql-core: 20 MB that a process without GraphQL never needs


async def respond(live: Live, parts: tuple[str, ...], asked: Asked, gateway: "Gateway") -> Given | None:
    """Only for keys of the tenant that may call, also when all of its endpoints are public."""
    if len(parts) != 1:
        return None
    grant = await gateway.known(live, asked.token, live.slug)
    gateway.used.add(grant.id)
    serve = await asyncio.to_thread(import_module, HEAVY)
    given: Given = await serve.respond(live, asked, gateway, caller=grant.actor)
    return given
