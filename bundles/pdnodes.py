"""The nodes of a .pdflow as what runs here: a handler and options for each type that has one."""

import json
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bundles import discovery, pdtext, target
from bundles.flowhandlers import is_ours
from bundles.flowmodel import Handler
from bundles.pdgraph import Graph, PdNode
from bundles.pdtext import Foreign, Names
from bundles.values import Report, shown

# Nodes that say how others work; they take no part in a run of their own.
SETTINGS = ("provider", "error-handler", "connection")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MAX_ROUNDS = 1_000
NOTHING = Handler("unbound")


@dataclass(slots=True)
class Work:
    """What a node does, before its wires are known."""

    handler: Handler
    options: dict[str, Any] = field(default_factory=dict)
    prompt: str = ""


@dataclass(slots=True)
class Pd:
    """One document being read."""

    name: str
    file: str
    files: Any
    graph: Graph
    names: Names
    report: Report


def read(node: PdNode, pd: Pd) -> Work:
    """What the node does; a type, or a way to write it, that cannot run is a problem."""
    if own := node.text("handler", "to"):
        return _bound(node, own, pd)
    try:
        return KINDS[node.type](node, pd) if node.type in KINDS else _not(node, pd, "this kind of node")
    except Foreign as wrong:
        return _not(node, pd, f"what is written here ({wrong})")


def builtin(kind: str, **options: Any) -> Work:
    given = {key.rstrip("_"): value for key, value in options.items() if value is not None}
    return Work(Handler("builtin", f"builtin:{kind}", None, kind), given)


def model(node: PdNode, pd: Pd) -> dict[str, Any]:
    """Model, temperature and tokens: of the provider node, or of the node itself."""
    provider = pd.graph.nodes.get(node.text("providerNodeId") or node.text("provider"))
    among = [one for one in (provider, node) if one is not None]
    found: dict[str, Any] = {"model": next((m for one in among if (m := one.text("model"))), "")}
    found["temperature"] = next((t for one in among if (t := one.number("temperature")) is not None), None)
    tokens = next((t for one in among if (t := one.number("maxTokens", "max_tokens"))), None)
    found["maxTokens"] = int(tokens) if tokens and tokens >= 1 else None
    return found


def _not(node: PdNode, pd: Pd, what: str) -> Work:
    message = f"{shown(node.id)} ({node.type[:60]}): {what} is not executable, it is only drawn"
    pd.report.warning(node.place, message)
    return Work(Handler("unbound", node.type))


def _bound(node: PdNode, text: str, pd: Pd) -> Work:
    if is_ours(text):
        try:
            to = target.parse(text)
            return Work(Handler(to.kind, text, to))
        except target.TargetError as wrong:
            pd.report.error(node.at("handler"), f"{shown(text)}: {wrong}")
    return _not(node, pd, f"{shown(text)}")


def _setting(node: PdNode, pd: Pd) -> Work:
    return Work(Handler("unbound", node.type))


def _trigger(node: PdNode, pd: Pd) -> Work:
    return builtin("map", expr="payload")


def _output(node: PdNode, pd: Pd) -> Work:
    return builtin("output", body="${payload}")


def _condition(node: PdNode, pd: Pd) -> Work:
    """Branches name their target, or a wire leaves by the handle `condition-ID`."""
    branches = node.data.get("conditions") or node.data.get("branches")
    wires = {edge.out: edge.target for edge in pd.graph.out(node.id)}
    cases: list[dict[str, str]] = []
    for branch in branches if isinstance(branches, list) else []:
        if not isinstance(branch, dict):
            continue
        to = wires.get(f"condition-{branch.get('id')}") or str(branch.get("target") or "")
        if to in pd.graph.nodes:
            cases.append({"if": pdtext.condition(str(branch.get("expression", "")), pd.names), "to": to})
    if not cases:
        return _not(node, pd, "a condition without branches")
    default = wires.get("default") or node.text("default")
    return builtin("branch", cases=cases, else_=default if default in pd.graph.nodes else None)


def _loop(node: PdNode, pd: Pd) -> Work:
    """The body begins at the wire `loop-start`, or with the first child."""
    starts = [edge.target for edge in pd.graph.out(node.id) if edge.out == "loop-start"]
    done = [edge.target for edge in pd.graph.out(node.id) if edge.out != "loop-start"]
    listed = node.data.get("body")
    inside = [one.id for one in pd.graph.children(node.id) if one.type not in SETTINGS and not one.docked]
    heads = [*starts, *(listed if isinstance(listed, list) else ()), *inside]
    body = next((str(name) for name in heads if name in pd.graph.nodes), "")
    if not body:
        return _not(node, pd, "a loop without a body")
    finish = next(iter(done), node.text("onComplete"))
    limit = int(min(max(node.number("maxIterations") or 100, 1), 1_000_000))
    rounds = _rounds(node, pd, limit)
    return builtin("loop", **rounds, body=body, done=finish if finish in pd.graph.nodes else None, max=limit)


def _rounds(node: PdNode, pd: Pd, limit: int) -> dict[str, str]:
    kind = node.text("loopType") or "count"
    if kind == "while":
        return {"while": pdtext.condition(node.text("condition"), pd.names)}
    if kind == "count":
        count = node.number("count", "iterations")
        return {"over": f"lists.range({int(min(max(count if count is not None else 1, 0), limit))})"}
    return {"over": pdtext.expression(node.text("items", "collection"), pd.names)}


def _merge(node: PdNode, pd: Pd) -> Work:
    return builtin("map", expr="payload") if node.text("mode") == "transform" else builtin("join", wait="all")


def _transformer(node: PdNode, pd: Pd) -> Work:
    mode = node.text("mode") or "template"
    names = pd.names
    if own := node.text("inputVariable"):
        names = Names(names.nodes, names.defaults, names.items, names.inputs | {own})
    if mode == "expression":
        return builtin("map", expr=pdtext.expression(node.text("expression", "transform"), names))
    text = node.text("template", "transform")
    if mode != "template" or not text:
        return _not(node, pd, f"a transformer of the mode {shown(mode)}")
    return builtin("map", expr=pdtext.literal(text, names))


def _api(node: PdNode, pd: Pd) -> Work:
    url, method = node.text("url", "httpUrl"), (node.text("method", "httpMethod") or "GET").upper()
    if not url or method not in METHODS:
        return _not(node, pd, "a request without a URL" if not url else f"the method {shown(method)}")
    headers = next(
        (h for key in ("headers", "httpHeaders") if isinstance(h := node.data.get(key), dict)), None
    )
    body = next((_read(b) for key in ("body", "httpBody") if (b := node.data.get(key))), None)
    written = pdtext.values({"url": url, "headers": headers, "body": body}, pd.names)
    return builtin("http", method=method, **written)


def _read(body: Any) -> Any:
    """A body that is written as JSON is sent as JSON."""
    try:
        found = json.loads(body) if isinstance(body, str) else body
    except (ValueError, RecursionError):
        return body
    return found if isinstance(found, dict | list) else body


def _tool(node: PdNode, pd: Pd) -> Work:
    name = node.text("toolName")
    if node.text("toolType") == "http":
        return _api(node, pd)
    return (
        _bound(node, name, pd) if is_ours(name) else _not(node, pd, "a tool without a WebAssembly function")
    )


def _code(node: PdNode, pd: Pd) -> Work:
    return _not(node, pd, "code that is not WebAssembly")


def _prompt(node: PdNode, pd: Pd) -> Work:
    if node.text("sourceType") == "raw" or (not node.text("source") and node.text("rawPrompt")):
        text = pdtext.template(node.text("rawPrompt"), pd.names)
        return builtin("llm", prompt=text, **_filled(model(node, pd)))
    prompt = _named(node, pd, "prmd")
    given = node.data.get("parameters")
    parameters = pdtext.values(given, pd.names) if isinstance(given, dict) and given else None
    work = Work(Handler("prompt", f"prompt:{prompt}", target.Target("prompt", prompt)))
    work.options.update({"parameters": parameters} if parameters else {}, **_filled(model(node, pd)))
    return work


def _workflow(node: PdNode, pd: Pd) -> Work:
    flow = _named(node, pd, "pdflow")
    return Work(Handler("flow", f"flow:{flow}", target.Target("flow", flow)))


def _named(node: PdNode, pd: Pd, kind: str) -> str:
    """The name in this bundle of the file that `source` leads to."""
    source = node.text("source")
    if is_ours(source):
        return target.parse(source).module if _parses(source) else ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(pd.file), source))
    same = [one for one in pd.files if one.rsplit("/", 1)[-1] == path.rsplit("/", 1)[-1]]
    found = path if path in pd.files else next(iter(sorted(same)), "")
    stem = source.rsplit("/", 1)[-1].removesuffix(f".{kind}")
    name = (discovery.prompt_id(pd.files[found], found) if found and kind == "prmd" else "") or stem
    if not name or not _parses(f"prompt:{name}"):
        raise Foreign(f"a source that leads nowhere: {shown(source)}")
    return name


def _parses(text: str) -> bool:
    try:
        return bool(target.parse(text))
    except target.TargetError:
        return False


def _agent(node: PdNode, pd: Pd) -> Work:
    """With tools it is an agent; without, it is one call of its model."""
    settings = _filled(model(node, pd))
    system, user = node.text("systemPrompt"), node.text("userPrompt") or "{{ previous_output }}"
    if not tools(node, pd):
        prompt = pdtext.template(user, pd.names)
        return builtin("llm", **({"system": pdtext.template(system, pd.names)} if system else {}), prompt=prompt,
                       **settings)  # fmt: skip
    return Work(Handler("agent", node.type), {}, system)


def tools(node: PdNode, pd: Pd) -> list[str]:
    """The tools in the routers that hang on an agent, by a wire or docked."""
    wired = {edge.target for edge in pd.graph.leaving.get(node.id, ())}
    nodes = pd.graph.nodes.values()
    routers = [n for n in nodes if n.type == "tool-call-router" and (n.docked == node.id or n.id in wired)]
    return [tool.id for router in routers for tool in pd.graph.children(router.id) if tool.type == "tool"]


def _memory(node: PdNode, pd: Pd) -> Work:
    verb, key = node.text("operation") or "get", node.text("key")
    if node.text("mode", "memoryType") not in ("", "kv") or verb not in ("get", "set", "delete") or not key:
        return _not(node, pd, "this use of memory")
    value = pdtext.values(node.data.get("value") or "{{ previous_output }}", pd.names)
    return builtin(
        "memory", **{verb: pdtext.template(key, pd.names)}, **({"value": value} if verb == "set" else {})
    )


def _watcher(node: PdNode, pd: Pd) -> Work:
    """A checkpoint on the way of messages lets them pass, or asks somebody; elsewhere it only watched."""
    if not pd.graph.into(node.id) or node.docked:
        return _not(node, pd, "a checkpoint beside the way")
    return builtin("wait") if node.data.get("requireApproval") is True else builtin("map", expr="payload")


def _asked(node: PdNode, pd: Pd) -> Work:
    """Somebody is asked: the run waits until its link is opened, or a program sends the input there."""
    return builtin("wait")


def _filled(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if value not in (None, "")}


KINDS: dict[str, Callable[[PdNode, Pd], Work]] = {
    **dict.fromkeys(SETTINGS, _setting), "tool-call-router": _setting,
    "trigger": _trigger, "output": _output, "condition": _condition, "loop": _loop, "merge": _merge,
    "parallel": _trigger, "transformer": _transformer, "api": _api, "tool": _tool, "code": _code,
    "prompt": _prompt, "workflow": _workflow, "agent": _agent, "memory": _memory, "callback": _watcher,
    "checkpoint": _watcher, "user-input": _asked,
}  # fmt: skip
