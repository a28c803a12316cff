"""A flow and its triggers as REST and the editor see them."""

from dataclasses import asdict
from typing import Any

from bundles.flowmodel import Trigger as Written
from bundles.models import Flow
from runtime import flowstore, triggers
from runtime.models import Trigger
from runtime.shown import stamp


def body(flow: Flow, *, tokens: bool = False) -> dict[str, Any]:
    """The whole flow; addresses of webhooks only for those who may call."""
    model = flowstore.model(flow)
    return {
        "id": str(flow.pk),
        "name": flow.name,
        "title": model.title if model else flow.name,
        "description": flow.description or (model.description if model else ""),
        "organism_yaml": flowstore.text(flow),
        "canvas_state": flow.canvas,
        "status": flowstore.state(flow),
        "bundle": str(flow.bundle_id),
        "bundle_name": flow.bundle.name,
        "path": flow.path,
        "dialect": model.dialect if model else "organism",
        "revision": flow.bundle.revision,
        "live_revision": flow.bundle.live_revision,
        "folder": flow.folder,
        "tags": flow.tags,
        "problems": [asdict(one) for one in model.problems] if model else [],
        "triggers": triggers_of(flow, tokens=tokens),
        "created": stamp(flow.created),
        "updated": stamp(flow.updated),
    }


def triggers_of(flow: Flow, *, tokens: bool) -> list[dict[str, Any]]:
    written, idle = triggers.written(triggers.meanings(flow)), flowstore.state(flow) == "stopped"
    shown = [trigger(row, written[name], tokens=tokens) for name, row in triggers.rows(flow).items()]
    return [one | {"next": None} for one in shown] if idle else shown


def trigger(row: Trigger, text: Written, *, tokens: bool) -> dict[str, Any]:
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
        "cron": text.cron,
        "every_ms": text.every_ms,
        "timezone": text.timezone,
        "misfire": text.misfire,
        "sensor": text.sensor,
        "next": stamp(row.next_at),
        "last": stamp(row.last_at),
        "sample": row.sample,
    }
