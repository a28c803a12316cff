"""An execution as REST shows it; times RFC 3339 UTC, inputs and outputs as JSON where they are whole."""

from datetime import UTC, datetime
from typing import Any

import orjson

from runtime.models import Execution
from runtime.record import Record, was_cut


def stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None


def micros(value: int | None) -> str | None:
    return stamp(datetime.fromtimestamp(value / 1e6, UTC)) if value is not None else None


def parsed(text: str) -> Any:
    """The value that was recorded; text when it was cut, never was JSON, or is too deep to be written again."""
    if not text or was_cut(text):
        return text or None
    try:
        value = orjson.loads(text)
        orjson.dumps(value)  # fails at a depth that the writer of our answers still takes
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return text
    return value


def brief(run: Execution) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "bundle": str(run.bundle_id),
        "revision": run.revision,
        "service": run.service,
        "name": run.name,
        "target": run.target,
        "trigger": run.trigger,
        "status": run.status,
        "paused": run.paused,
        "created": stamp(run.created),
        "started": stamp(run.started),
        "completed": stamp(run.completed),
        "duration_ms": run.duration_us / 1000,
        "units_estimated": run.units_estimated,
        "units_used": run.units_used,
        "price": run.price,
        "spent": run.spent,
        "round": run.round,
        "waited_ms": run.waited_us / 1000,
        "degraded": run.degraded,
        "http_status": run.http_status,
        "error": run.error,
    }


def stepped(step: dict[str, Any]) -> dict[str, Any]:
    """A step of a flow with its values; those of functions that call others have none."""
    return step | {key: parsed(step[key]) for key in ("input", "output") if isinstance(step.get(key), str)}


def full(run: Execution) -> dict[str, Any]:
    return brief(run) | {
        "input": parsed(run.input),
        "output": parsed(run.output),
        "steps": [stepped(step) for step in run.steps],
        "logs": [{"ms": at, "level": level, "text": text} for at, level, text in run.logs],
        "caller": run.caller,
        "parent": str(run.parent) if run.parent else None,
        "attempts": run.attempts,
        "restarts": run.restarts,
    }


def recorded(record: Record) -> dict[str, Any]:
    """A run that stands in the journal only; the importer will bring the same into the database in a moment."""
    empty = {
        "started": None,
        "completed": None,
        "duration_us": 0,
        "units_used": 0,
        "waited_us": 0,
        "spent": 0,
        "degraded": False,
        "http_status": None,
        "error": "",
    }
    known = {**empty, "input": "", "output": "", "steps": [], "logs": [], "price": 0, "round": None, **record}
    plain = [
        "id",
        "bundle",
        "revision",
        "service",
        "name",
        "target",
        "trigger",
        "status",
        "units_used",
        "price",
        "spent",
        "round",
        "degraded",
        "http_status",
        "error",
    ]
    return {key: known[key] for key in plain} | {
        "created": micros(known["created"]),
        "started": micros(known["started"]),
        "completed": micros(known["completed"]),
        "duration_ms": known["duration_us"] / 1000,
        "waited_ms": known["waited_us"] / 1000,
        "units_estimated": known.get("units_estimated", 0),
        "input": parsed(known["input"]),
        "output": parsed(known["output"]),
        "steps": [stepped(step) for step in known["steps"]],
        "logs": [{"ms": at, "level": level, "text": text} for at, level, text in known["logs"]],
        "caller": known.get("caller", ""),
        "parent": known.get("parent"),
        "attempts": known.get("attempts", 0),
        "restarts": known.get("restarts", 0),
        "paused": False,
    }
