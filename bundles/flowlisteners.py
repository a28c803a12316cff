"""The listeners of a flow: every key that any dialect of organism.yaml has, and ours."""

from dataclasses import replace
from typing import Any

from bundles import flowhandlers, flowoptions
from bundles.fields import Field, Read, mapping, table
from bundles.flowfields import NAME, NAME_RULE, Reader, kept
from bundles.flowkinds import BUILTINS
from bundles.flowmodel import BACKOFF_MS, MAX_ITERATIONS, Handler, Listener
from bundles.values import Mapping, Node, Place, Scalar, Sequence, plain, shown

MAX_PROMPT = 200_000
MODEL_FIELDS = (
    Field("prompt", "text", "What an agent is told, as it stands", longest=MAX_PROMPT),
    Field("model", "string", "The name of the model"),
    Field("temperature", "number", "0 is steady, 2 is wild", high=2),
    Field("max_tokens", "integer", "Tokens of one answer of the model", low=1, high=1_000_000),
    Field("max_iterations", "integer", "How often an agent may call tools and think again", low=1, high=100),
)
LISTENER_FIELDS = table(
    Field("name", "string", "Name of the node, unique in the flow whatever the case", required=True),
    Field("handler", "string", "What it runs: wasm:M:F, flow:N, prompt:N, builtin:KIND, or wasm"),
    Field("description", "text", "What it does; agents read it when the node is their tool"),
    Field("peers", "node", "The nodes that get what it answers; ['*'] lets an agent speak to all"),
    Field("with", "map", "The options of a builtin"),
    Field("retries", "integer", "How often a failure is tried again", high=20),
    Field("backoff", "duration", "The pause before the first retry; each later one is twice as long"),
    Field("timeout", "duration", "How long one try may take"),
    Field(
        "timeout_seconds", "number", "The same in seconds, as xml-pipeline writes it", low=0.001, high=86_400
    ),
    Field("onError", "node", "The node that gets the failure when the last try failed"),
    Field("disabled", "boolean", "Messages pass through untouched"),
    Field("agent", "node", "true: a language model with its peers as tools; or {prompt, model, …}"),
    Field("is_agent", "boolean", "The same as agent"),
    *MODEL_FIELDS,
    Field("promptRef", "string", "The id of a prompt of the bundle, instead of prompt"),
    Field("broadcast", "boolean", "What is sent to the name before the last dot goes to all of them"),
    Field("wasm", "map", "With handler: wasm, {path: FILE, function: NAME}"),
    Field("tools", "any", "Native tools of xml-pipeline: makes an agent, the tools stay without effect"),
    *kept("payload_class", "tool", "gateway", "allowed_tools", "blocked_tools", "verbose"),
    *kept("confirm_actions", "metadata", "tool_config", "ports", "librarian", "semantic_description"),
    *kept("notify_on_prune"),
)
AGENT_FIELDS = table(*MODEL_FIELDS)
MAX_PEERS = 1_000


def read(nodes: list[Node], reader: Reader) -> tuple[Listener, ...]:
    """Every listener with a name of its own."""
    found: list[Listener] = []
    taken: dict[str, Place] = {}
    for node in nodes:
        listener = _listener(node, reader)
        if listener is not None and _is_first(listener, taken, reader):
            found.append(listener)
    return tuple(found)


def _is_first(listener: Listener, taken: dict[str, Place], reader: Reader) -> bool:
    place = Place(listener.file, listener.line, listener.column)
    first = taken.setdefault(listener.name.lower(), place)
    if first is place:
        return True
    where = f"on line {first.line}" if first.file == place.file else f"at {first.file}:{first.line}"
    message = f"the listener {shown(listener.name)} is defined twice, first {where}"
    reader.report.error(place, message, "capital letters make no difference")
    return False


def _listener(node: Node, reader: Reader) -> Listener | None:
    block = mapping(node, reader.report, of="a listener")
    if block is None:
        return None
    found = reader.read(block, LISTENER_FIELDS, of="a listener")
    name = found.get("name", "")
    if not NAME.fullmatch(name):
        if name:
            reader.report.error(found.at("name"), f"{shown(name)} cannot name a listener", NAME_RULE)
        return None
    handler, brought = flowhandlers.read(found, reader, name=name)
    place = found.at("name")
    return Listener(
        name=name,
        handler=_placed(handler, found),
        description=found.get("description", ""),
        peers=_peers(found, reader),
        options=brought or _options(handler, found, reader),
        retries=found.get("retries", 0),
        backoff_ms=found.get("backoff", BACKOFF_MS),
        timeout_ms=_timeout(found),
        on_error=_name(found, "onError", reader),
        agent=handler.kind == "agent" or bool(flowhandlers.flagged(found, reader)),
        broadcast=found.get("broadcast", False),
        disabled=found.get("disabled", False),
        file=place.file,
        line=place.line,
        column=place.column,
        **_model(found, reader),
    )


def _timeout(found: Read) -> int | None:
    seconds: float | None = found.get("timeout_seconds")
    written: int | None = found.get("timeout")
    return written if written is not None or seconds is None else int(seconds * 1000)


def _placed(handler: Handler, found: Read) -> Handler:
    """The handler with the place of what it names, for the problems of others."""
    key = {"agent": "promptRef", "wasm": "wasm" if handler.text == "wasm" else "handler"}.get(
        handler.kind, "handler"
    )
    if handler.target is None or key not in found.places:
        return handler
    place = found.at(key)
    return replace(handler, line=place.line, column=place.column)


def _model(found: Read, reader: Reader) -> dict[str, Any]:
    """The words and the limits of an agent, from the listener or else from its block `agent`."""
    block, inner = found.get("agent"), Read(found.place)
    if isinstance(block, Mapping):
        inner = reader.read(block, AGENT_FIELDS, of="agent")
    given = {field.name: found.get(field.name, inner.get(field.name)) for field in MODEL_FIELDS}
    given["prompt"], given["model"] = given["prompt"] or "", given["model"] or ""
    given["max_iterations"] = given["max_iterations"] or MAX_ITERATIONS
    return given


def _options(handler: Handler, found: Read, reader: Reader) -> dict[str, Any]:
    block = found.get("with")
    if handler.kind == "builtin":
        return flowoptions.read(block, found.at("handler"), BUILTINS[handler.builtin], reader)
    if block is None:
        return {}
    if handler.kind not in ("unbound", "prompt"):
        reader.report.warning(block.place, "'with' is for builtins and prompts; it is kept and has no effect")
    options: dict[str, Any] = plain(block)
    return options


def _peers(found: Read, reader: Reader) -> tuple[str, ...]:
    """A list of names, or one name."""
    node: Node | None = found.get("peers")
    items = node.items if isinstance(node, Sequence) else [node] if node else []
    if isinstance(node, Mapping) or len(items) > MAX_PEERS:
        reader.report.error(found.at("peers"), f"'peers' must be a list of at most {MAX_PEERS} names")
        return ()
    named = (_peer(item, reader) for item in items)
    return tuple(dict.fromkeys(name for name in named if name))


def _peer(node: Node, reader: Reader) -> str:
    if isinstance(node, Scalar) and node.text == "*":
        return "*"
    return reader.refer(node, "a peer", strict=False)


def _name(found: Read, key: str, reader: Reader) -> str:
    node = found.get(key)
    return reader.refer(node, f"'{key}'") if node else ""
