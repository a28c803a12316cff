"""What the interceptors of a bundle did, over all processes, and how the sandbox's slot pool is used (P01)."""

from datetime import UTC, datetime
from typing import Any

from billing.redis import redis
from bundles.interceptorkinds import KINDS
from bundles.models import Bundle
from runtime import exposition, metrics
from runtime.interceptors import cells
from runtime.models import Execution

ACTIVE = ("queued", "running", "waiting")


def of_bundle(bundle: Bundle, now: datetime) -> dict[str, Any]:
    """Counts begin when a process starts, and those of ended processes count on for a day."""
    found = exposition.snapshots(now.timestamp())
    living = [one for one in found if one["at"] > now.timestamp() - metrics.ALIVE_S]
    mine = [row for one in found for row in one.get("interceptors", ()) if row[0] == str(bundle.pk)]
    places = cells.merged(mine)
    return {
        "bundle": str(bundle.pk),
        "interceptors": [row(place, cell) for place, cell in sorted(places.items(), key=order)],
        "dashboard": dashboard(bundle, places, living, now),
        "pool": pool([one["pool"] for one in living if one.get("pool")]),
    }


def order(item: tuple[cells.Place, cells.Cell]) -> tuple[str, str, int, str]:
    """As they lie around a call, the outermost first."""
    _, service, endpoint, name = item[0]
    kind = KINDS.get(name)
    return service, endpoint, (kind or KINDS["wasm"]).rank, name


def row(place: cells.Place, cell: cells.Cell) -> dict[str, Any]:
    told = {"service": place.service, "endpoint": place.endpoint, "name": place.name}
    return told | cells.metrics(cell)


def dashboard(
    bundle: Bundle, places: dict[cells.Place, cells.Cell], living: list[dict[str, Any]], now: datetime
) -> dict[str, float]:
    pace = sum(one.get("pace", {}).get(str(bundle.pk), 0.0) for one in living)
    users = redis().pfcount(metrics.users_key(str(bundle.pk), now.astimezone(UTC)))
    active = Execution.objects.filter(bundle=bundle, status__in=ACTIVE).count()
    return {**cells.dashboard(places, pace), "activeWorkflows": active, "uniqueUsers": users}


def pool(stats: list[dict[str, float]]) -> dict[str, float]:
    """As `getPoolStats()` tells them; a slot is created when it is used for the first time."""
    size, used = (int(sum(one[name] for one in stats)) for name in ("size", "used"))
    created, reused = (int(sum(one[name] for one in stats)) for name in ("peak", "reused"))
    return {
        "size": size,
        "available": size - used,
        "created": created,
        "reused": reused,
        "reuseRate": round(reused / (created + reused), 4) if created + reused else 0.0,
        "utilization": round(used / size, 4) if size else 0.0,
    }
