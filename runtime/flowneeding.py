"""Nodes whose work somebody else does: http, llm, agents, pauses, waiting for a person, memory, sensors."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from bundles import duration, template
from runtime import flowlinks
from runtime.flowframe import CROWDED, Message, Refused, crowded, encoded
from runtime.flowscope import Scope
from runtime.flowsize import look

if TYPE_CHECKING:
    from runtime.flowneeds import Kind
    from runtime.flowplan import Node
    from runtime.flowpump import Pump

SECRETIVE = {"headers", "body"}  # the options of an http call that may hold secrets; all of an llm call
MAX_PAUSE_S = 366 * 86_400.0
MAX_HELD = 32 * 1024 * 1024  # bytes of messages that wait; each is written out in the run's kept state
MAX_KEY = 512


class Prepared(NamedTuple):
    """The options of a node: those that are always the same, and templates."""

    fixed: dict[str, Any]
    varying: dict[str, template.Template]


def templates(node: "Node", uses: set[str]) -> Prepared:
    """Every option that holds an expression as a template."""
    found = {key: template.compile(value) for key, value in node.listener.options.items()}
    for one in found.values():
        uses |= set(one.names)
    fixed = {key: one({}) for key, one in found.items() if one.constant}
    return Prepared(fixed, {key: one for key, one in found.items() if not one.constant})


def filled(pump: "Pump", message: Message, prepared: Prepared, open_to: set[str]) -> dict[str, Any]:
    if not prepared.varying:
        return dict(prepared.fixed)
    plain, secret = Scope(pump, message, False), Scope(pump, message, True)
    made = {
        key: one(secret if key in open_to else plain, pump.meter) for key, one in prepared.varying.items()
    }
    look(pump, message, made)
    return {**prepared.fixed, **made}


def held(pump: "Pump", message: Message) -> None:
    """Many large messages must not wait side by side: what is shared here is not shared in the kept state."""
    if len(pump.waiting) * len(message.payload) > MAX_HELD:
        raise Refused("budget", f"the messages that wait have more than {MAX_HELD >> 20} MiB together")
    if crowded(message.payload):
        raise Refused("budget", CROWDED)


def outside(kind: "Kind", open_to: set[str]) -> "Callable[[Pump, Node, Message], bool]":
    def run(pump: "Pump", node: "Node", message: Message) -> bool:
        held(pump, message)
        pump.need(kind, message, filled(pump, message, node.data, open_to))
        return True

    return run


def delay(pump: "Pump", node: "Node", message: Message) -> bool:
    """The payload goes on later."""
    held(pump, message)
    options = filled(pump, message, node.data, set())
    now = pump.world.now()
    due = now + seconds(options["for"]) if options.get("for") is not None else moment(options.get("until"))
    pump.need("timer", message, {}, due=min(due, now + MAX_PAUSE_S))
    return True


def wait(pump: "Pump", node: "Node", message: Message) -> bool:
    """Until somebody comes with the token; later than the timeout it is a failure."""
    held(pump, message)
    options = filled(pump, message, node.data, set())
    due = pump.world.now() + seconds(options.get("timeout") or "24h")
    pump.need("wait", message, {}, due=due, token=flowlinks.taken(pump, node, message.frame))
    return True


def memory(pump: "Pump", node: "Node", message: Message) -> bool:
    options = filled(pump, message, node.data, set())
    verb = next((verb for verb in ("get", "set", "delete", "add") if options.get(verb) is not None), None)
    if verb is None:
        raise Refused("validation", "memory needs get, set, add or delete")
    if not node.plan.flow.memory:
        raise Refused("validation", "this flow has no memory; write memory: 16KiB at its top")
    key = str(options[verb])
    if len(key) > MAX_KEY:
        raise Refused("validation", f"a key of the memory has at most {MAX_KEY} letters")
    wanted: dict[str, Any] = {"verb": verb, "key": key}
    if verb == "set":
        wanted["value"] = encoded(options["value"] if "value" in options else message.value())
    elif verb == "add":
        wanted["value"] = encoded(number(options.get("value", 1)))
    if "expect" in options and verb != "get":
        wanted["expect"] = encoded(options["expect"])
    pump.need("memory", message, wanted)
    return True


def number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refused("validation", f"what is added must be a number, not {str(value)[:60]}")
    return value


def sensor(pump: "Pump", node: "Node", message: Message) -> bool:
    """Fired when the run ends well, as functions fire theirs."""
    options = filled(pump, message, node.data, set())
    payload = encoded(options["payload"]) if "payload" in options else message.payload
    if len(pump.fires) >= MAX_FIRES:
        raise Refused("budget", f"more than {MAX_FIRES} sensors fired in one run")
    pump.fires.append((str(options["fire"])[:200], payload))
    pump.passed(node, message, message.payload, message.parsed)
    return False


MAX_FIRES = 1_000


def seconds(value: Any) -> float:
    """A duration as text, or a number of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value)
    else:
        try:
            found = duration.parse(str(value)) / 1000
        except duration.DurationError as problem:
            raise Refused("validation", str(problem)) from None
    if not math.isfinite(found) or found < 0:
        raise Refused("validation", f"{value} is not a duration")
    return found


def moment(value: Any) -> float:
    if isinstance(value, datetime):
        found = value
    else:
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            raise Refused(
                "validation", f"{str(value)[:60]} is not a moment, such as 2030-01-31T09:00:00Z"
            ) from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


HANDLERS: "dict[str, tuple[Callable[[Pump, Node, Message], bool], Callable[[Node, set[str]], Any]]]" = {
    "http": (outside("http", SECRETIVE), templates),
    "llm": (outside("llm", {"headers", "body", "system", "prompt"}), templates),
    "agent": (outside("agent", set()), templates),
    "prompt": (outside("prompt", set()), templates),
    "delay": (delay, templates),
    "wait": (wait, templates),
    "memory": (memory, templates),
    "sensor": (sensor, templates),
}
