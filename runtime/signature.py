"""Signed requests: an HMAC of time and body in a header, good for a few minutes and for one time only."""

import hashlib
import hmac
from collections.abc import Mapping

from billing.errors import ApiError
from billing.redis import aredis

WINDOW_S = 300
SIGNATURE, TIMESTAMP = "x-signature", "x-timestamp"


def sign(key: bytes, timestamp: str, data: bytes) -> str:
    return "sha256=" + hmac.new(key, timestamp.encode() + b"." + data, hashlib.sha256).hexdigest()


def check(key: bytes | None, headers: Mapping[str, str], data: bytes, now: float) -> str:
    """The signature when it is right and fresh; ApiError 401 otherwise, also when the secret is not there."""
    given, timestamp = headers.get(SIGNATURE, ""), headers.get(TIMESTAMP, "")
    fresh = timestamp.isascii() and timestamp.isdecimal() and abs(now - int(timestamp[:12])) <= WINDOW_S
    mine = sign(key or b"", timestamp[:12], data)
    same = hmac.compare_digest(mine.encode(), given.encode("utf-8", "replace"))
    if not (key and fresh and same):
        raise ApiError(401, "X-Signature or X-Timestamp is missing, wrong or too old.")
    return given


async def once(tenant_id: str, flow_id: str, signature: str) -> None:
    """409 when the very same request came before."""
    name = f"tenant:{tenant_id}:flow:{flow_id}:signed:{signature.removeprefix('sha256=')}"
    if not await aredis().set(name, "1", nx=True, ex=2 * WINDOW_S):
        raise ApiError(409, "This request came before; sign a new one.")
