"""The wires of a flow, as the canvas draws them and the engine follows them."""

from collections.abc import Iterator
from typing import Any

from bundles.flowmodel import Edge, Flow, Listener


def edges(flow: Flow) -> tuple[Edge, ...]:
    """Every wire between two nodes that exist, in the order of the file, each once."""
    wires = (Edge(trigger.name, "trigger", trigger.to or flow.entry) for trigger in flow.triggers)
    written = [*wires, *(edge for listener in flow.listeners for edge in _leaving(listener))]
    found = [Edge(edge.source, edge.port, _real(flow, edge.target)) for edge in written]
    return tuple(dict.fromkeys(edge for edge in found if edge.target))


def _leaving(listener: Listener) -> Iterator[Edge]:
    yield from (Edge(listener.name, "peer", peer) for peer in listener.peers)
    yield from (Edge(listener.name, port, to) for port, to in named(listener))
    if listener.on_error:
        yield Edge(listener.name, "error", listener.on_error)


def named(listener: Listener) -> Iterator[tuple[str, str]]:
    """Port and target of the wires that a branch or a loop names in its options."""
    if listener.handler.kind != "builtin":
        return
    if listener.handler.builtin == "branch":
        cases: list[Any] = listener.options.get("cases") or []
        yield from ((f"case {index}", str(case.get("to", ""))) for index, case in enumerate(cases))
        yield "else", str(listener.options.get("else") or "")
    elif listener.handler.builtin == "loop":
        yield from ((port, str(listener.options.get(port) or "")) for port in ("body", "done"))


def _real(flow: Flow, name: str) -> str:
    found = flow.listener(name)
    return found.name if found else ""
