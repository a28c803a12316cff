"""The triggers of a flow: webhooks, schedules, sensors, and people."""

import re
from typing import Any

from bundles import flowcron
from bundles.fields import Field, Read, mapping, table
from bundles.flowfields import NAME, NAME_RULE, Reader
from bundles.flowmodel import WINDOWS, Rate, Trigger
from bundles.values import Node, Place, Scalar, shown

TYPES = ("webhook", "schedule", "manual", "sensor")
TRIGGER_FIELDS = table(
    Field("name", "string", "Name of the trigger, unique in the flow", required=True),
    Field("type", "choice", "What starts the flow", required=True, choices=TYPES),
    Field("to", "node", "The node that gets what came in; the first one unless told"),
    Field("cron", "string", "Of a schedule: minute hour day month weekday, or @daily and the like"),
    Field("every", "duration", "Of a schedule, instead of cron: 15m, 24h; at least 1s"),
    Field("timezone", "string", "Where the clock of the cron line hangs, such as Europe/Berlin; UTC"),
    Field("misfire", "choice", "Missed times: skip them (usual) or run once", choices=("skip", "once")),
    Field("sensor", "string", "Of a sensor trigger: the name of the sensor"),
    Field("respond", "choice", "Of a webhook: sync (usual) or async (202)", choices=("sync", "async")),
    Field("hmac", "string", "Of a webhook: the name of the secret that signs its requests"),
    Field(
        "rateLimit", "node", "Of a webhook: so many calls, 100/s, 600/m or 5000/h; one more is answered 429"
    ),
    Field("enabled", "boolean", "false: starts nothing"),
    Field("description", "text", "What it is for"),
)
MIN_EVERY_MS = 1_000
MAX_TRIGGERS = 100
MAX_CALLS = 1_000_000
RATE = re.compile(r"([0-9]{1,9})\s*/\s*([smhSMH])")


def read(nodes: list[Node], reader: Reader) -> tuple[Trigger, ...]:
    """Every trigger with a name of its own."""
    found: list[Trigger] = []
    taken: dict[str, Place] = {}
    if len(nodes) > MAX_TRIGGERS:
        reader.report.error(nodes[MAX_TRIGGERS].place, f"a flow has at most {MAX_TRIGGERS} triggers")
    for node in nodes[:MAX_TRIGGERS]:
        trigger = _trigger(node, reader)
        if trigger is None:
            continue
        place = Place(trigger.file, trigger.line, trigger.column)
        first = taken.setdefault(trigger.name.lower(), place)
        if first is place:
            found.append(trigger)
        else:
            message = f"the trigger {shown(trigger.name)} is defined twice, first on line {first.line}"
            reader.report.error(place, message)
    return tuple(found)


def _trigger(node: Node, reader: Reader) -> Trigger | None:
    block = mapping(node, reader.report, of="a trigger")
    if block is None:
        return None
    found = reader.read(block, TRIGGER_FIELDS, of="a trigger")
    name, place = found.get("name", ""), found.at("name")
    if name and not NAME.fullmatch(name):
        reader.report.error(place, f"{shown(name)} cannot name a trigger", NAME_RULE)
    if not NAME.fullmatch(name) or "type" not in found.values:
        return None
    to = found.get("to")
    return Trigger(
        name=name,
        type=found.get("type"),
        to=reader.refer(to, "'to'") if to else "",
        misfire=found.get("misfire", "skip"),
        respond=found.get("respond", "sync"),
        hmac=found.get("hmac", ""),
        rate=_rate(found, reader),
        enabled=found.get("enabled", True),
        file=place.file,
        line=place.line,
        column=place.column,
        **_when(found, reader),
    )


def _when(found: Read, reader: Reader) -> dict[str, Any]:
    """What belongs to one type of trigger: there it is needed, elsewhere it has no effect."""
    kind = found.get("type")
    given = [key for key in ("cron", "every") if key in found.places]
    if kind == "schedule" and len(given) != 1:
        reader.report.error(found.at("every"), "a schedule needs exactly one of cron and every")
    if kind == "sensor" and not found.get("sensor"):
        reader.report.error(found.at("sensor"), "a sensor trigger needs 'sensor', the name of the sensor")
    hooks = (("hmac", "webhook"), ("rateLimit", "webhook"))
    for key, owner in (*((key, "schedule") for key in given), ("sensor", "sensor"), *hooks):
        if key in found.places and owner != kind:
            reader.report.warning(found.at(key), f"'{key}' has no effect on a {kind} trigger")
    return {
        "cron": _cron(found, reader),
        "timezone": _timezone(found, reader),
        "every_ms": _every(found, reader),
        "sensor": found.get("sensor", ""),
    }


def _rate(found: Read, reader: Reader) -> Rate | None:
    if "rateLimit" not in found.values:
        return None
    node: Node = found.get("rateLimit")
    written = node.text if isinstance(node, Scalar) else ""
    match = RATE.fullmatch(written.strip())
    calls = int(match[1].replace("_", "")) if match else 0
    if match is None or not 1 <= calls <= MAX_CALLS:
        message = f"{shown(written)} must be a number from 1 to {MAX_CALLS:,} by s, m or h"
        reader.report.error(node.place, message, "for example 100/s, 600/m or 5000/h")
        return None
    return Rate(calls, next(span for span, unit in WINDOWS.items() if unit == match[2].lower()))


def _cron(found: Read, reader: Reader) -> str:
    try:
        return flowcron.tidy(found.get("cron")) if "cron" in found.values else ""
    except flowcron.CronError as wrong:
        hint = 'for example "0 2 * * *", every night at two'
        reader.report.error(found.at("cron"), f"{shown(found.get('cron'))}: {wrong}", hint)
        return ""


def _timezone(found: Read, reader: Reader) -> str:
    name = str(found.get("timezone", "UTC"))
    if fault := flowcron.zone_fault(name):
        reader.report.error(found.at("timezone"), f"{shown(name)}: {fault}", "for example Europe/Berlin")
        return "UTC"
    return name


def _every(found: Read, reader: Reader) -> int | None:
    every: int | None = found.get("every")
    if every is not None and every < MIN_EVERY_MS:
        reader.report.error(found.at("every"), "a schedule runs at most once a second")
        return None
    return every
