"""Callers that the data plane does not know at once: new keys, other tenants' keys, the public."""

import asyncio
import hashlib

from redis.exceptions import RedisError

from billing import access, throttle
from billing.errors import ApiError
from runtime import reading
from runtime.live import Live, Tenants

PUBLIC_CALLS = 600  # of one address to one tenant in a minute
WINDOW_S = 60


async def look_up(token: str, slug: str, tenants: Tenants) -> Live:
    """The tenant with a key that was made a moment ago; 404 for a key of another tenant, 401 for no key at all."""
    who = await reading.read(access.of_token, token)
    if who is None:
        raise ApiError(
            401, "This API key is unknown, expired or revoked.", headers={"WWW-Authenticate": "Bearer"}
        )
    live = await tenants.fresh(slug) if who.tenant == slug else None
    if live is None or hashlib.sha256(token.encode()).hexdigest() not in live.keys:
        raise ApiError(404, "No running bundle of this tenant has such a route.")
    return live


async def throttled(live: Live, peer: str) -> None:
    """Strangers at a public endpoint: a bound for each address, so that they cannot spend a tenant's compute."""
    try:
        wait = await asyncio.to_thread(
            throttle.allow, f"public:{live.tenant_id}:{throttle.source(peer)}", PUBLIC_CALLS, WINDOW_S
        )
    except RedisError:
        raise ApiError(503, "Public calls cannot be counted now.", headers={"Retry-After": "1"}) from None
    if wait is not None:
        raise ApiError(429, "Too many calls from this address.", headers={"Retry-After": str(int(wait) + 1)})
