"""Push webhooks of a bundle: own secrets, signatures checked in constant time, repeats without effect."""

import hashlib
import hmac
import json
import secrets as randomness
from collections.abc import Mapping
from typing import Any, Literal

from django.db import transaction
from redis.exceptions import RedisError

from billing.errors import ApiError
from billing.redis import redis
from billing.seal import Unreadable, is_stale, seal, unseal
from bundles import locks, origin, wake
from bundles.author import Somebody, author
from bundles.models import Bundle

MAX_BODY = 5 * 1024 * 1024
REMEMBERED = 7 * 24 * 3600  # seconds in which a repeated delivery is recognised
PUSHED = "bundles.pushed"
Outcome = Literal["queued", "repeated", "ignored"]


def make(somebody: Somebody, bundle: Bundle, *, deploy: bool) -> str:
    """A new secret, in place of an older one; it is shown once and kept sealed."""
    if "git" not in bundle.source:
        raise ApiError(409, "Only a bundle imported from Git has a push webhook.")
    secret = randomness.token_urlsafe(32)
    sealed = seal(secret.encode(), _place(bundle))
    _change(somebody, bundle, "bundle.hook", {"hook_secret": sealed}, deploy=deploy)
    return secret


def remove(somebody: Somebody, bundle: Bundle) -> None:
    _change(somebody, bundle, "bundle.unhook", {"hook_secret": None}, deploy=False)


def _change(somebody: Somebody, bundle: Bundle, action: str, known: dict[str, Any], *, deploy: bool) -> None:
    with transaction.atomic():
        locks.tenant(bundle.tenant_id)
        bundle.refresh_from_db()
        Bundle.objects.filter(pk=bundle.pk).update(**known, source=bundle.source | {"deploy": deploy})
        author(somebody, bundle.tenant).record(action, bundle.name, deploy=deploy)
    bundle.refresh_from_db()


def reseal() -> int:
    """Seal again, under the newest key, whatever waits for it; how many did."""
    stale = [one for one in Bundle.objects.exclude(hook_secret=None) if is_stale(one.hook_secret or b"")]
    for bundle in stale:
        fresh = seal(unseal(bundle.hook_secret or b"", _place(bundle)), _place(bundle))
        # compared and set: a secret made meanwhile is already under the newest key
        Bundle.objects.filter(pk=bundle.pk, hook_secret=bundle.hook_secret).update(hook_secret=fresh)
    return len(stale)


def _place(bundle: Bundle) -> str:
    return f"hook:{bundle.pk}"


def receive(bundle: Bundle | None, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Queue the import that a push asks for; 401 alike for a wrong signature and for no hook."""
    secret = _secret(bundle)
    if bundle is None or secret is None or not signed(secret, headers, body):
        raise ApiError(401, "The signature is missing or wrong.")
    if not concerns(bundle, headers, body):
        return "ignored"
    origin.demand_fetch(bundle.tenant_id)
    if not _first(bundle, body):
        return "repeated"
    wake.send(PUSHED, str(bundle.pk))
    return "queued"


def _secret(bundle: Bundle | None) -> bytes | None:
    if bundle is None or bundle.hook_secret is None:
        return None
    try:
        return unseal(bundle.hook_secret, _place(bundle))
    except Unreadable:
        return None


def signed(secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """By GitHub's signature of the body, or by GitLab's token."""
    given = headers.get("X-Hub-Signature-256", "")
    if given:
        mine = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(mine.encode(), given.encode("utf-8", "replace"))
    token = headers.get("X-Gitlab-Token", "")
    return bool(token) and hmac.compare_digest(secret, token.encode("utf-8", "replace"))


def concerns(bundle: Bundle, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether this is a push to the bundle's branch; pings and other branches are not."""
    event = headers.get("X-GitHub-Event") or headers.get("X-Gitlab-Event") or "push"
    if event.lower() not in ("push", "push hook"):
        return False
    try:
        pushed = json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError(422, "The body is not JSON; choose application/json as the content type.") from None
    ref = pushed.get("ref") if isinstance(pushed, dict) else None
    return ref is None or ref == f"refs/heads/{bundle.source.get('branch', '')}"


def forget(bundle: Bundle) -> None:
    """A delivery that could not be imported may come again."""
    redis().delete(_place(bundle))


def _first(bundle: Bundle, body: bytes) -> bool:
    try:
        with redis().pipeline() as pipe:
            pipe.sadd(_place(bundle), hashlib.sha256(body).digest())
            pipe.expire(_place(bundle), REMEMBERED)
            return bool(pipe.execute()[0])
    except RedisError:
        raise ApiError(503, "Try again in a moment.", headers={"Retry-After": "10"}) from None
