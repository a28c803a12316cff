"""Test calls of webhooks: while somebody listens, the next request becomes the sample that the editor knows."""

import hmac
from typing import Any

import orjson
from channels.db import database_sync_to_async
from django.utils import timezone

from billing.errors import ApiError
from runtime import ask
from runtime.exchange import BASE, Asked, Given
from runtime.models import Trigger
from runtime.record import storable
from runtime.shown import stamp

MAX_SAMPLE = 64 * 1024
ABSENT = "There is no such webhook."


async def captured(asked: Asked, flow_id: str, token: str) -> Given:
    """Keep the request; nothing is run."""
    row = await database_sync_to_async(find, thread_sensitive=False)(flow_id, token.encode())
    if row is None:
        raise ApiError(404, ABSENT)
    data = await asked.body(MAX_SAMPLE)
    body = orjson.loads(orjson.dumps(ask.posted(data, asked.headers, limit=MAX_SAMPLE)))
    sample = {"method": asked.method, "query": ask.query(asked.query), "headers": asked.headers, "body": body}
    if not await database_sync_to_async(keep, thread_sensitive=False)(row, storable(sample)):
        raise ApiError(409, "Nobody listens for a test call at present.")
    text = orjson.dumps({"captured": True})
    head = [*BASE, ("content-type", "application/json"), ("content-length", str(len(text)))]
    return Given(200, [*head, ("cache-control", "no-store")], text)


def find(flow_id: str, token: bytes) -> Trigger | None:
    rows = Trigger.objects.filter(flow_id=flow_id, type="webhook")
    same = [row for row in rows if hmac.compare_digest(row.token.encode(), token)]
    return same[0] if same else None


def keep(row: Trigger, sample: dict[str, Any]) -> bool:
    """Of two calls at once one becomes the sample."""
    now = timezone.now()
    waiting = Trigger.objects.filter(pk=row.pk, listening_until__gt=now)
    return waiting.update(sample=sample | {"at": stamp(now)}, listening_until=None) == 1
