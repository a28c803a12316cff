"""One handler for each kind of node: takes a message, sends what comes of it; true when it goes on holding the message."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from bundles import cel, template
from runtime import flowjoin, flowloop, flowneeding
from runtime.answer import JSON, BadAnswer, Reply, clean, content
from runtime.flowframe import UNREAD, Message, Refused, SubFlow
from runtime.flowscope import Scope
from runtime.flowsize import made
from runtime.wasmtypes import STEP_FUEL

if TYPE_CHECKING:
    from runtime.flowplan import Node
    from runtime.flowpump import Pump

MAX_FLOWS = 8
Handler = Callable[["Pump", "Node", Message], bool]


def bind(node: "Node", uses: set[str]) -> tuple[Handler, Any]:
    """The handler of a node, and its options compiled; the root names they read are added to ``uses``."""
    run, prepare = HANDLERS[node.kind]
    return run, prepare(node, uses)


def named(node: "Node") -> list[str]:
    """The nodes that the options of a branch or a loop name."""
    options = node.listener.options
    if node.kind == "branch":
        cases = options.get("cases") or []
        return [str(name) for name in (*(case["to"] for case in cases), options.get("else")) if name]
    if node.kind == "loop":
        return [str(options[key]) for key in ("body", "done") if options.get(key)]
    return []


def nothing(node: "Node", uses: set[str]) -> None:
    """Nothing to prepare."""


# -- functions and flows ------------------------------------------------------------------------------


def wasm(pump: "Pump", node: "Node", message: Message) -> bool:
    """At once when the function needs nobody; else whoever drives the pump runs it."""
    answer = pump.world.call(node, node.head + message.payload + pump.tail, message.step)
    if answer is None:
        pump.need("wasm", message, {})
        return True
    pump.took(node, message, answer[0], answer[1])
    return False


def flow(pump: "Pump", node: "Node", message: Message) -> bool:
    """Another flow of the bundle, in a frame of its own."""
    target = node.listener.handler.target
    assert target is not None
    plan = pump.world.plans.get(target.module)
    if plan is None:
        raise Refused("not-available", f"the flow “{target.module}” is not here or is stopped")
    entry = plan.find(target.function) if target.function else plan.entry
    if not entry:
        raise Refused("not-available", f"{target}: there is no such node")
    above, frame = 1, message.frame
    while frame.parent is not None:
        above += isinstance(frame.owner, SubFlow)
        frame = frame.parent
    if above >= MAX_FLOWS:
        raise Refused("routing", f"flows call each other more than {MAX_FLOWS} deep")
    pump.keeps = pump.keeps or "steps" in plan.uses
    inner = pump.nest(message.frame, SubFlow(message))
    for one in entry:
        pump.post(one, message.payload, message.parsed, inner, node.name)
    return True


def missing(pump: "Pump", node: "Node", message: Message) -> bool:
    text = node.listener.handler.text or "nothing"
    raise Refused("not-available", f"its handler ({text[:200]}) cannot be executed")


def disabled(pump: "Pump", node: "Node", message: Message) -> bool:
    """Messages pass through untouched."""
    pump.passed(node, message, message.payload, message.parsed)
    return False


# -- values and ways ----------------------------------------------------------------------------------


def since(pump: "Pump", before: int) -> int:
    """Fuel for the steps that expressions took since there were so many left."""
    left = pump.meter[0]
    if left < pump.floor:
        pump.until = 0  # its turn is over
    return (before - left) * STEP_FUEL


def expression(key: str) -> Callable[["Node", set[str]], cel.Expression]:
    def prepare(node: "Node", uses: set[str]) -> cel.Expression:
        found = cel.compile(str(node.listener.options[key]))
        uses |= set(found.names)
        return found

    return prepare


def map_(pump: "Pump", node: "Node", message: Message) -> bool:
    """A new payload; `_to` in it says where it goes, as in a function's answer."""
    before = pump.meter[0]
    value = node.data.metered(Scope(pump, message, False), pump.meter)
    fuel = since(pump, before)
    if type(value) is dict and "_to" in value:
        rest = {key: inner for key, inner in value.items() if key != "_to"}
        pump.routed(node, message, made(pump, message, rest), value["_to"], fuel)
    else:
        payload = made(pump, message, value)
        pump.passed(node, message, payload, UNREAD, fuel)
    return False


def filter_(pump: "Pump", node: "Node", message: Message) -> bool:
    before = pump.meter[0]
    if cel.truth(node.data.metered(Scope(pump, message, False), pump.meter)):
        pump.passed(node, message, message.payload, message.parsed, since(pump, before))
    else:
        pump.ended(message)
    return False


def cases(
    node: "Node", uses: set[str]
) -> "tuple[list[tuple[cel.Expression, tuple[Node, ...]]], tuple[Node, ...]]":
    options, find = node.listener.options, node.plan.find
    found = []
    for case in options.get("cases") or []:
        condition = cel.compile(str(case["if"]))
        uses |= set(condition.names)
        found.append((condition, find(str(case["to"]))))
    return found, find(str(options["else"])) if options.get("else") else ()


def branch(pump: "Pump", node: "Node", message: Message) -> bool:
    """Along the first case that holds."""
    known, otherwise = node.data
    before = pump.meter[0]
    to = cel.decide(known, otherwise, Scope(pump, message, False), pump.meter)
    pump.send(node, message, message.payload, message.parsed, to, since(pump, before))
    return False


# -- the answer of the flow ---------------------------------------------------------------------------


class Answering(NamedTuple):
    """What an output node is told; ``fixed`` when only the payload differs, ``whole`` when that is the body."""

    parts: dict[str, template.Template]
    whole: bool
    fixed: Reply | None


def answer(node: "Node", uses: set[str]) -> Answering:
    options = {"status": 200, "headers": {}, "body": "${payload}", **node.listener.options}
    found = {key: template.compile(options[key]) for key in ("status", "headers", "body")}
    for one in found.values():
        uses |= set(one.names)
    whole = options["body"] == "${payload}"
    return Answering(found, whole, constant(found) if whole else None)


def constant(parts: dict[str, template.Template]) -> Reply | None:
    """The reply but for its body, when that does not change it and nothing else does."""
    if not (parts["status"].constant and parts["headers"].constant):
        return None
    try:
        made = reply(parts["status"]({}), parts["headers"]({}), None, b"null")
    except (Refused, cel.CelError):
        return None  # it is told where it runs
    return made if made.content_type is JSON and made.body else None


def output(pump: "Pump", node: "Node", message: Message) -> bool:
    """The first one is the answer of the run; a caller inside of it (a loop, an agent, a flow) gets the body."""
    parts, whole, fixed = node.data
    payload = message.payload
    if fixed is not None:
        if pump.output is None and not of_another(message):
            pump.output = Reply(fixed.status, payload, JSON, fixed.headers)
    else:
        scope, left = Scope(pump, message, False), pump.meter
        body = message.value() if whole else parts["body"](scope, left)
        payload = payload if whole else made(pump, message, body)
        if pump.output is None and not of_another(message):
            pump.output = reply(parts["status"](scope, left), parts["headers"](scope, left), body, payload)
    pump.send(node, message, payload, UNREAD, ())
    return False


def of_another(message: Message) -> bool:
    """Whether the message belongs to a flow that this one called: its output answers that call."""
    frame = message.frame
    while frame.parent is not None:
        if isinstance(frame.owner, SubFlow):
            return True
        frame = frame.parent
    return False


def reply(status: Any, headers: Any, body: Any, payload: bytes) -> Reply:
    if isinstance(status, str) and status.isdigit():
        status = int(status)
    if isinstance(status, float) and status.is_integer():
        status = int(status)
    if type(status) is not int or not 200 <= status <= 599:
        raise Refused("validation", f"status {str(status)[:40]} is not between 200 and 599")
    try:
        pairs = clean(headers)
        declared = next((value for name, value in pairs if name == "content-type"), None)
        data, kind = (payload, JSON) if declared is None else content(body, declared)
    except BadAnswer as problem:
        raise Refused("validation", str(problem)) from None
    if status in (204, 304):
        data = b""
    rest = [pair for pair in pairs if pair[0] != "content-type"]
    return Reply(status, data, declared or kind, rest or None)


HANDLERS: dict[str, tuple[Handler, Callable[["Node", set[str]], Any]]] = {
    "wasm": (wasm, nothing),
    "flow": (flow, nothing),
    "unbound": (missing, nothing),
    "disabled": (disabled, nothing),
    "map": (map_, expression("expr")),
    "filter": (filter_, expression("if")),
    "branch": (branch, cases),
    "output": (output, answer),
    "loop": (flowloop.run, flowloop.bind),
    "join": (flowjoin.run, flowjoin.bind),
    **flowneeding.HANDLERS,
}
