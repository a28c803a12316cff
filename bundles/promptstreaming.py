"""How the answer of a prompt is streamed: `sse` in its front matter, and what a request may say instead; pure."""

from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from typing import Any

from bundles import fields
from bundles.fields import Field
from bundles.promptfront import Diagnostic, warning
from bundles.values import Mapping, Node, Place, Report

STREAM_FIELDS = fields.table(
    Field("chunkInterval", "integer", "Milliseconds for which tokens are gathered; 100", high=10_000),
    Field("chunkSize", "integer", "Most bytes of text in one event; 1024", low=1, high=65_536),
    Field("heartbeat", "any", "Milliseconds between signs of life, from 1000 to 60000, or false; 15000"),
)
HEARTBEAT_MS = (1_000, 60_000)
USUAL_MS = 15_000
NEVER = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Streaming:
    """``heartbeat_ms`` also bounds how long a run lives on that nobody hears, so it is never 0."""

    interval_ms: int = 100
    size: int = 1_024
    heartbeat_ms: int = USUAL_MS
    beats: bool = True

    def with_options(self, given: Map[str, Any]) -> "tuple[Streaming, list[dict[str, str]]]":
        """These options, as JSON has them or as texts, laid over; those that do not fit are told."""
        errors: list[dict[str, str]] = []
        made = self
        for name, key in (("chunkInterval", "interval_ms"), ("chunkSize", "size")):
            if name in given:
                field = STREAM_FIELDS[name]
                value = whole(given[name])
                if value is None or not field.low <= value <= field.high:
                    told = f"must be a whole number from {field.low:g} to {field.high:g}"
                    errors.append({"path": name, "message": told})
                elif key == "size":
                    made = replace(made, size=value)
                else:
                    made = replace(made, interval_ms=value)
        if "heartbeat" in given:
            made = made.with_heartbeat(given["heartbeat"], errors)
        return made, errors

    def with_heartbeat(self, given: Any, errors: list[dict[str, str]]) -> "Streaming":
        low, high = HEARTBEAT_MS
        value = whole(given)
        if str(given).lower() in NEVER:
            return replace(self, beats=False)
        if str(given).lower() in ("true", "yes", "on"):
            return replace(self, beats=True)
        if value is None or not low <= value <= high:
            errors.append({"path": "heartbeat", "message": f"must be {low} to {high} milliseconds, or false"})
            return self
        return replace(self, heartbeat_ms=value, beats=True)


def whole(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def of(settings: Map[str, Any]) -> Streaming:
    """What the front matter says, as far as it can be used."""
    written = settings.get("sse")
    return Streaming().with_options(written)[0] if isinstance(written, dict) else Streaming()


def check(node: Node | None, place: Place, settings: Map[str, Any]) -> list[Diagnostic]:
    """Warnings for what of `sse` has no effect."""
    if node is None:
        return []
    if not isinstance(node, Mapping):
        return [warning(place, "INVALID_SETTING", "'sse' must be a mapping", "it has no effect")]
    report = Report()
    fields.read(node, STREAM_FIELDS, report, of="sse")
    wrong = {(one.line, one.column): one.message for one in report.problems()}
    for error in Streaming().with_options(settings.get("sse") or {})[1]:
        at = node.entries[error["path"]].place
        wrong.setdefault((at.line, at.column), f"'{error['path']}' {error['message']}")
    return [
        warning(Place(place.file, *at), "INVALID_SETTING", message, "it has no effect")
        for at, message in wrong.items()
    ]
