"""Intents of a service: when a sensor fires, call a function."""

from dataclasses import dataclass

from bundles import fields
from bundles.contract import Contract, Contracts
from bundles.fields import Field, Unique
from bundles.target import Target
from bundles.values import NOWHERE, Node, Place, Report

PRIMITIVES = ("stateMutation", "validation", "workflow", "transaction", "notification", "cleanup")

INTENT_FIELDS = fields.table(
    Field("name", "name", "Name of the intent, unique in its service", required=True),
    Field("description", "text", "What this intent does"),
    Field("whenSensor", "name", "The sensor that triggers this intent", required=True),
    Field("toFunc", "target", "What is called: wasm:MODULE:FUNCTION, flow:NAME or prompt:ID", required=True),
    Field(
        "primitiveIntent",
        "choice",
        "stateMutation (default), validation, workflow, transaction, notification or cleanup",
        choices=PRIMITIVES,
    ),
    Field("cooldown", "duration", "Least time between two runs (default none)"),
    Field("retries", "integer", "How often a failed run is tried again (default 0)", high=100),
    Field("expiresIn", "duration", "How long a fired sensor stays valid (default for ever)"),
    Field("expectedDuration", "duration", "How long a run should take; longer ones are logged and counted"),
    Field("goal", "name", "The goal whose contract applies (default: all goals of the service together)"),
)


@dataclass(frozen=True, slots=True)
class Intent:
    """A reaction to a sensor."""

    service: str
    name: str
    when_sensor: str
    to: Target
    primitive: str
    cooldown_ms: int
    retries: int
    expires_in_ms: int | None
    expected_duration_ms: int | None
    contract: Contract
    file: str
    line: int
    description: str = ""
    to_place: Place = NOWHERE


def read(nodes: list[Node], report: Report, *, service: str, contracts: Contracts) -> tuple[Intent, ...]:
    """The intents of one service; a name may be used once."""
    intents: list[Intent] = []
    unique = Unique("intent", report)
    for node in nodes:
        intent = _intent(node, report, service=service, contracts=contracts)
        if intent and unique.take(intent.name, node.place):
            intents.append(intent)
    return tuple(intents)


def _intent(node: Node, report: Report, *, service: str, contracts: Contracts) -> Intent | None:
    item = fields.mapping(node, report, of="an intent")
    found = fields.read(item, INTENT_FIELDS, report, of="an intent") if item else None
    if found is None or not {"name", "whenSensor", "toFunc"} <= found.values.keys():
        return None
    return Intent(
        service=service,
        name=found.get("name"),
        when_sensor=found.get("whenSensor"),
        to=found.get("toFunc"),
        primitive=found.get("primitiveIntent", "stateMutation"),
        cooldown_ms=found.get("cooldown", 0),
        retries=found.get("retries", 0),
        expires_in_ms=found.get("expiresIn"),
        expected_duration_ms=found.get("expectedDuration"),
        contract=contracts(found.get("goal"), found.at("goal")),
        file=node.place.file,
        line=node.place.line,
        description=found.get("description", ""),
        to_place=found.at("toFunc"),
    )
