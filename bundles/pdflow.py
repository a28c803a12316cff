"""A .pdflow (Prompd's JSON) as a flow: ids are names of listeners, what cannot run is drawn and says so."""

from collections.abc import Mapping as Map
from typing import Any

from bundles import flowcron, jsontree, pdgraph, pdnodes
from bundles.flowkinds import BUILTINS
from bundles.flowmodel import BACKOFF_MS, MAX_ITERATIONS, Flow, Handler, Listener, Trigger
from bundles.pdgraph import Graph, PdEdge, PdNode
from bundles.pdnodes import Pd, Work
from bundles.pdtext import Names
from bundles.values import Mapping, Report, Sequence, plain, shown

WAITS = {"all": "all", "any": "any", "race": "any"}
MAX_RETRIES = 20


def load(name: str, file: str, files: Map[str, bytes]) -> Flow:
    """The flow in a .pdflow file, with every problem at its place."""
    report = Report()
    document = jsontree.parse(files.get(file, b""), file=file)
    report.extend(document.problems)
    root = document.root
    if not isinstance(root, Mapping) or not isinstance(root.entries.get("nodes"), Sequence):
        if root is not None:
            report.error(root.place, "not a flow of Prompd: it has no list 'nodes'")
        return Flow(name, name, "", file, "pdflow", problems=report.problems(), sources=(file,))
    graph = pdgraph.read(root, report)
    pd = Pd(name, file, files, graph, _names(root, graph), report)
    listeners = _listeners(pd)
    triggers = tuple(_trigger(node, pd) for node in graph.nodes.values() if node.type == "trigger")
    meta = plain(root.entries["metadata"]) if "metadata" in root.entries else {}
    head: dict[str, Any] = meta if isinstance(meta, dict) else {}
    return Flow(
        name=name,
        title=str(head.get("name") or name)[:200],
        description=str(head.get("description") or "")[:10_000],
        file=file,
        dialect="pdflow",
        listeners=listeners,
        triggers=triggers,
        memory=65_536 if any(one.handler.builtin == "memory" for one in listeners) else 0,
        problems=report.problems(),
        sources=(file,),
    )


def _names(root: Mapping, graph: Graph) -> Names:
    defaults: dict[str, Any] = {}
    for key in ("variables", "parameters"):
        found = root.entries.get(key)
        for item in plain(found) if isinstance(found, Sequence) else []:
            if isinstance(item, dict) and isinstance(item.get("name"), str):
                defaults[item["name"]] = item.get("default", item.get("value", ""))
    loops = (node.text("itemVariable") for node in graph.nodes.values())
    return Names(frozenset(graph.nodes), defaults, frozenset({"item", *loops} - {""}))


def _listeners(pd: Pd) -> tuple[Listener, ...]:
    """In the order in which they run, then the rest as in the file."""
    ordered = dict.fromkeys([*pdgraph.order(pd.graph), *pd.graph.nodes])
    nodes = [pd.graph.nodes[name] for name in ordered]
    kept = [node for node in nodes if node.type != "trigger" or len(_successors(node, pd)) != 1]
    found = [_listener(node, pdnodes.read(node, pd), pd) for node in kept]
    return (*found, *(_gathering(node, pd) for node in nodes if _gathers(node, pd.graph)))


def _listener(node: PdNode, work: Work, pd: Pd) -> Listener:
    settings = pdnodes.model(node, pd)
    is_agent = work.handler.kind == "agent"
    retries, backoff, on_error = _failing(node, pd)
    timeout = node.number("timeout", "timeoutMs", "approvalTimeoutMs")
    rounds = node.number("maxIterations")
    return Listener(
        name=node.id,
        handler=work.handler,
        description=(node.text("description") or node.text("label"))[:10_000],
        peers=_peers(node, work, pd),
        options=work.options,
        retries=retries,
        backoff_ms=backoff,
        timeout_ms=int(timeout) if timeout and 1 <= timeout <= 86_400_000 else None,
        on_error=on_error,
        prompt=work.prompt,
        model=settings["model"] if is_agent else "",
        temperature=settings["temperature"] if is_agent else None,
        max_tokens=settings["maxTokens"] if is_agent else None,
        max_iterations=int(min(max(rounds, 1), 100)) if is_agent and rounds else MAX_ITERATIONS,
        agent=is_agent,
        disabled=node.disabled,
        file=node.place.file,
        line=node.place.line,
        column=node.place.column,
    )


def _peers(node: PdNode, work: Work, pd: Pd) -> tuple[str, ...]:
    """The wires that leave, without those that a branch or a loop has in its options."""
    if work.handler.kind == "builtin" and "peer" not in BUILTINS[work.handler.builtin].ports:
        return ()
    tools = pdnodes.tools(node, pd) if work.handler.kind == "agent" else []
    if node.type == "parallel":
        return tuple(dict.fromkeys(_branches(node, pd)))
    return tuple(dict.fromkeys([*tools, *_successors(node, pd)]))


def _successors(node: PdNode, pd: Pd) -> list[str]:
    """Where its messages go; what goes back to the loop around it is an answer, not a wire."""
    found = [to for edge in pd.graph.out(node.id) if (to := _reached(edge, node, pd.graph))]
    parent = pd.graph.nodes.get(node.parent)
    if parent and parent.type == "parallel" and node.id in _ends(parent, pd.graph):
        found.append(_gathering_name(parent))
    return list(dict.fromkeys(found))


def _reached(edge: PdEdge, node: PdNode, graph: Graph) -> str:
    target = graph.nodes[edge.target]
    if edge.into == "loop-end" or (edge.target == node.parent and target.type == "loop"):
        return ""
    if target.type == "parallel" and (edge.into.startswith("fork-") or edge.target == node.parent):
        return _gathering_name(target)
    return "" if target.type in (*pdnodes.SETTINGS, "trigger") or _watches(target, graph) else edge.target


def _watches(node: PdNode, graph: Graph) -> bool:
    return node.type in pdgraph.WATCHERS and (not graph.into(node.id) or bool(node.docked))


# -- parallel: a fork and, where its branches come back, a join of its own -----------------------------------


def _gathering_name(node: PdNode) -> str:
    return f"{node.id}.join"


def _gathers(node: PdNode, graph: Graph) -> bool:
    back = any(edge.into.startswith("fork-") for edge in graph.into(node.id))
    return node.type == "parallel" and (back or bool(_inside(node, graph)))


def _inside(node: PdNode, graph: Graph) -> list[PdNode]:
    return [one for one in graph.children(node.id) if not _watches(one, graph)]


def _ends(node: PdNode, graph: Graph) -> list[str]:
    """The children that end a branch without saying so by a wire."""
    back = {edge.source for edge in graph.into(node.id)}
    return [name for name in pdgraph.leaves(graph, _inside(node, graph)) if name not in back]


def _branches(node: PdNode, pd: Pd) -> list[str]:
    forks = [edge.target for edge in pd.graph.out(node.id) if edge.out.startswith("fork-")]
    heads = [*forks, *pdgraph.heads(pd.graph, _inside(node, pd.graph))]
    return heads if _gathers(node, pd.graph) else _successors(node, pd)


def _gathering(node: PdNode, pd: Pd) -> Listener:
    after = [edge.target for edge in pd.graph.out(node.id) if not edge.out.startswith("fork-")]
    inside = {one.id for one in _inside(node, pd.graph)}
    return Listener(
        name=_gathering_name(node),
        handler=Handler("builtin", "builtin:join", None, "join"),
        description=f"Waits for the branches of {node.id}",
        peers=tuple(name for name in dict.fromkeys(after) if name not in inside),
        options={"wait": WAITS.get(node.text("waitFor"), "all")},
        file=node.place.file,
        line=node.place.line,
        column=node.place.column,
    )


# -- failures and triggers -----------------------------------------------------------------------------------


def _failing(node: PdNode, pd: Pd) -> tuple[int, int, str]:
    """Retries, pause and error edge, from the error handler that the node names."""
    name = node.text("errorHandlerNodeId")
    handler = pd.graph.nodes.get(name)
    if name and handler is None:
        message = f"{shown(node.id)} names the error handler {shown(name)}, which is not there"
        pd.report.warning(node.at("errorHandlerNodeId"), message)
    own = node.data.get("retryPolicy")
    strategy = handler.text("strategy") if handler else ""
    policy = handler.data.get("retry") if handler and strategy == "retry" else own
    tries, pause = (_whole(policy, "maxAttempts", 1), _whole(policy, "backoffMs", BACKOFF_MS))
    fallback = handler.data.get("fallback") if handler and strategy in ("fallback", "retry") else None
    to = str(fallback.get("nodeId", "")) if isinstance(fallback, dict) else ""
    if strategy in ("ignore", "notify") and node.type not in pdnodes.SETTINGS:
        pd.report.warning(
            node.place, f"the strategy {strategy} of {shown(name)} is not executable: failures count"
        )
    reached = to if to in pd.graph.nodes and to != node.id else ""
    if strategy == "fallback" and not reached:
        pd.report.warning(
            node.place, f"the fallback of {shown(name)} names no node of this flow: failures count"
        )
    return min(max(tries - 1, 0), MAX_RETRIES), min(max(pause, 0), 3_600_000), reached


def _whole(policy: Any, key: str, default: int) -> int:
    value = policy.get(key) if isinstance(policy, dict) else None
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _trigger(node: PdNode, pd: Pd) -> Trigger:
    """With one wire it sends along it; with several, or none, to a listener of its own name."""
    kind = node.text("triggerType") or "manual"
    following = _successors(node, pd)
    if kind not in ("manual", "webhook", "schedule"):
        pd.report.warning(
            node.at("triggerType"), f"a trigger of the type {shown(kind)} is not executable: run it by hand"
        )
    timed = kind == "schedule"
    return Trigger(
        name=node.id,
        type="webhook" if kind == "webhook" else "schedule" if timed else "manual",
        to=following[0] if len(following) == 1 else node.id,
        cron=_cron(node, pd) if timed and node.text("scheduleType") != "interval" else "",
        timezone=_zone(node, pd),
        every_ms=_every(node, pd) if timed and node.text("scheduleType") == "interval" else None,
        enabled=not node.disabled and node.data.get("scheduleEnabled") is not False,
        file=node.place.file,
        line=node.place.line,
        column=node.place.column,
    )


def _cron(node: PdNode, pd: Pd) -> str:
    line = node.text("scheduleCron")
    try:
        return flowcron.tidy(line)
    except flowcron.CronError as wrong:
        pd.report.error(node.at("scheduleCron"), f"{shown(line)}: {wrong}")
        return ""


def _zone(node: PdNode, pd: Pd) -> str:
    zone = node.text("scheduleTimezone") or "UTC"
    if fault := flowcron.zone_fault(zone):
        pd.report.error(node.at("scheduleTimezone"), f"{shown(zone)}: {fault}")
        return "UTC"
    return zone


def _every(node: PdNode, pd: Pd) -> int | None:
    every = node.number("scheduleIntervalMs")
    if every is None or not 1_000 <= every <= 31_536_000_000:
        pd.report.error(node.at("scheduleIntervalMs"), "a schedule runs at most once a second")
        return None
    return int(every)
