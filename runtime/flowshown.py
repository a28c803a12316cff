"""A flow and its triggers as REST and the editor see them."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any
from uuid import UUID

from bundles.flowmodel import Trigger as Written
from bundles.models import Flow, Revision
from runtime import flowstore, triggers
from runtime.models import Trigger
from runtime.shown import stamp

FLOW = frozenset(
    {"id", "title", "status", "bundle_name", "path", "dialect", "revision", "live_revision", "problems"}
    | {"triggers", "created", "updated", "bundle"}
)  # what is told of a flow and only read
TRIGGER = frozenset(
    {"name", "type", "to", "url", "token", "respond", "signed", "cron", "every_ms", "timezone", "misfire"}
    | {"sensor", "rate_limit", "next", "last", "sample"}
)


def body(flow: Flow, *, tokens: bool = False) -> dict[str, Any]:
    """The whole flow; addresses of webhooks only for those who may call."""
    return bodies([flow], tokens=tokens)[0]


def bodies(flows: list[Flow], *, tokens: bool = False) -> list[dict[str, Any]]:
    """Many at once, with few queries: flows of one bundle share its revisions."""
    bundles = {flow.bundle_id: flow.bundle for flow in flows}
    seen = {pk: triggers.revisions(bundle) for pk, bundle in bundles.items()}
    rows: defaultdict[UUID, list[Trigger]] = defaultdict(list)
    for row in Trigger.objects.filter(flow__in=flows):
        rows[row.flow_id].append(row)
    return [shown(flow, seen[flow.bundle_id], rows[flow.pk], tokens=tokens) for flow in flows]


def shown(
    flow: Flow, revisions: tuple[Revision | None, Revision | None], rows: list[Trigger], *, tokens: bool
) -> dict[str, Any]:
    model, live = triggers.meaning(flow, revisions[0]), triggers.live_meaning(flow, revisions[1])
    state = flowstore.state_with(flow, live)
    written = triggers.written(one for one in (model, live) if one is not None)
    known = triggers.rows(flow, written, rows)
    return {
        "id": str(flow.pk),
        "name": flow.name,
        "title": model.title if model else flow.name,
        "description": flow.description or (model.description if model else ""),
        "organism_yaml": flowstore.text(flow, revisions[0]),
        "canvas_state": flow.canvas,
        "status": state,
        "bundle": str(flow.bundle_id),
        "bundle_name": flow.bundle.name,
        "path": flow.path,
        "dialect": model.dialect if model else "organism",
        "revision": flow.bundle.revision,
        "live_revision": flow.bundle.live_revision,
        "folder": flow.folder,
        "tags": flow.tags,
        "problems": [asdict(one) for one in model.problems] if model else [],
        "triggers": [trigger(row, written[name], state, tokens=tokens) for name, row in known.items()],
        "created": stamp(flow.created),
        "updated": stamp(flow.updated),
    }


def trigger(row: Trigger, text: Written, state: str, *, tokens: bool) -> dict[str, Any]:
    """``token`` and ``url`` are empty for all but webhooks, and for those who may not call."""
    secret = tokens and row.type == "webhook"
    return {
        "name": row.name,
        "type": row.type,
        "to": text.to,
        "enabled": text.enabled and row.enabled,
        "url": triggers.url(row) if secret else "",
        "token": row.token if secret else "",
        "respond": text.respond,
        "signed": bool(text.hmac),
        "rate_limit": str(text.rate or ""),
        "cron": text.cron,
        "every_ms": text.every_ms,
        "timezone": text.timezone,
        "misfire": text.misfire,
        "sensor": text.sensor,
        "next": stamp(row.next_at) if state != "stopped" else None,
        "last": stamp(row.last_at),
        "sample": row.sample,
    }
