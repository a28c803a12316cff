"""Rows of flows in step with the newest revision, and their canvas as files in exports and imports."""

import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from redis.exceptions import RedisError

from billing.live import touch
from billing.redis import redis
from bundles.bundle import Definition
from bundles.limits import check_flows
from bundles.models import Bundle, Flow

FLOW_KEY = re.compile(rb"tenant:[0-9a-f-]{36}:flow:([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}):")
log = logging.getLogger(__name__)
MAX_CANVAS = 512 * 1024  # bytes of one flow's canvas
Files = Mapping[str, bytes]


def organisms(definition: Definition) -> Mapping[str, Any]:
    """The flows of a bundle as they are read."""
    return definition.organisms


def canvas_path(name: str) -> str:
    return f"canvas/{name}.json"


def files_of(definition: Definition) -> set[str]:
    """Every file that a flow is read from."""
    read = {path for flow in organisms(definition).values() for path in flow.sources}
    return read | set(definition.flows.values())


def faulty(definition: Definition, name: str) -> bool:
    flow = organisms(definition).get(name)
    return flow is not None and flow.has_errors


def sync(bundle: Bundle, definition: Definition, contents: Files) -> None:
    """One row for each flow of this revision; call it with the tenant locked.

    A flow that comes with errors begins stopped, so that the rest of its bundle can run.
    """
    known = {row.name: row for row in Flow.objects.filter(bundle=bundle)}
    gone = [row for name, row in known.items() if name not in definition.flows]
    added = [name for name in definition.flows if name not in known]
    check_flows(bundle.tenant, len(added) - len(gone))
    remove(gone)
    for name in added:
        canvas = canvas_in(contents, name)
        stopped = faulty(definition, name)
        Flow.objects.create(
            bundle=bundle, name=name, path=definition.flows[name], canvas=canvas, stopped=stopped
        )
    for name in definition.flows.keys() & known.keys():
        Flow.objects.filter(pk=known[name].pk).exclude(path=definition.flows[name]).update(
            path=definition.flows[name]
        )


def remove(rows: Iterable[Flow]) -> None:
    """Rows whose flow is gone, with all that hangs on them; what is kept elsewhere follows after the commit."""
    for row in rows:
        tenant_id = row.bundle.tenant_id
        transaction.on_commit(partial(forget, tenant_id, row.pk))
        touch(tenant_id)
        row.delete()


def forget(tenant_id: object, flow_id: object) -> None:
    """What Redis keeps of a flow that is gone: its memory, buffers and checkpoints."""
    try:
        unlink(redis().scan_iter(match=f"tenant:{tenant_id}:flow:{flow_id}:*", count=1000))
    except RedisError as problem:  # the flow is gone all the same; ``sweep`` comes back to it
        log.warning("what flow %s kept is still there: %s", flow_id, problem)


def sweep() -> int:
    """Remove what Redis keeps of flows that are gone; how many keys."""
    by_flow: defaultdict[UUID, list[bytes]] = defaultdict(list)
    for key in redis().scan_iter(match="tenant:*:flow:*", count=1000):
        found = FLOW_KEY.match(key)
        if found:
            by_flow[UUID(found[1].decode())].append(key)
    there = set(Flow.objects.filter(pk__in=list(by_flow)).values_list("pk", flat=True))
    return unlink(key for pk, keys in by_flow.items() if pk not in there for key in keys)


def unlink(found: Iterable[bytes]) -> int:
    keys = list(found)
    for start in range(0, len(keys), 500):
        redis().unlink(*keys[start : start + 500])
    return len(keys)


def canvas_in(contents: Files, name: str) -> dict[str, Any]:
    """The canvas that came with the files; nothing when there is none, or none that can be read."""
    data = contents.get(canvas_path(name), b"")
    if not 0 < len(data) <= MAX_CANVAS:
        return {}
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def with_canvases(bundle: Bundle, contents: Files) -> dict[str, bytes]:
    """The files of the newest revision with the present canvases, as an export has them."""
    found = dict(contents)
    for row in Flow.objects.filter(bundle=bundle).exclude(canvas={}):
        text = json.dumps(row.canvas, ensure_ascii=False, indent=1, sort_keys=True)
        found[canvas_path(row.name)] = text.encode() + b"\n"
    return found
