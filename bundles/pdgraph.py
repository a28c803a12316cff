"""The graph in a .pdflow: nodes, what hangs inside what, which wires carry data, in which order nodes run."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bundles.values import Mapping, Node, Place, Report, Scalar, Sequence, plain, shown

FIRST = ("provider", "error-handler", "connection")
WATCHERS = ("callback", "checkpoint")
LATE_SOURCES = ("loop-end", "parallel-end", "onError", "onCheckpoint", "onProgress", "toolResult")
INERT_SOURCES = ("onError", "onCheckpoint", "onProgress", "toolResult", "tools", "ai-output", "onExecute")
INERT_TARGETS = ("toolResult", "ai-input", "memory")
MAX_NODES = 2_000
MAX_EDGES = 10_000


@dataclass(slots=True)
class PdNode:
    """One node; `places` has the place of each key of its data."""

    id: str
    type: str
    parent: str
    data: dict[str, Any]
    places: dict[str, Place]
    place: Place

    def at(self, key: str) -> Place:
        return self.places.get(key, self.place)

    def text(self, *keys: str) -> str:
        """The first of these that is a text with something in it."""
        return next((v for key in keys if isinstance(v := self.data.get(key), str) and v.strip()), "")

    def number(self, *keys: str) -> float | None:
        found = (self.data.get(key) for key in keys)
        return next((v for v in found if isinstance(v, int | float) and not isinstance(v, bool)), None)

    @property
    def disabled(self) -> bool:
        return self.data.get("disabled") is True or self.data.get("enabled") is False

    @property
    def docked(self) -> str:
        """The node it hangs on without a wire."""
        to = self.data.get("dockedTo")
        return str(to.get("nodeId", "")) if isinstance(to, dict) else ""


@dataclass(frozen=True, slots=True)
class PdEdge:
    source: str
    target: str
    out: str  # the handle it leaves by; "" when it is not told
    into: str

    @property
    def carries(self) -> bool:
        """Whether messages go along it, and not only news for those who watch."""
        return self.out not in INERT_SOURCES and self.into not in INERT_TARGETS


@dataclass(slots=True)
class Graph:
    nodes: dict[str, PdNode] = field(default_factory=dict)
    edges: list[PdEdge] = field(default_factory=list)
    leaving: dict[str, list[PdEdge]] = field(default_factory=dict)
    coming: dict[str, list[PdEdge]] = field(default_factory=dict)

    def children(self, parent: str) -> list[PdNode]:
        return [node for node in self.nodes.values() if node.parent == parent]

    def out(self, node: str) -> list[PdEdge]:
        return [edge for edge in self.leaving.get(node, ()) if edge.carries]

    def into(self, node: str) -> list[PdEdge]:
        return [edge for edge in self.coming.get(node, ()) if edge.carries]


def read(root: Mapping, report: Report) -> Graph:
    """Every node with an id of its own, every edge between two of them."""
    graph = Graph()
    taken: dict[str, Place] = {}
    for item in _items(root, "nodes", MAX_NODES, report):
        node = _node(item, report)
        if node is None:
            continue
        first = taken.setdefault(node.id.lower(), node.place)
        if first is node.place:
            graph.nodes[node.id] = node
        else:
            report.error(node.place, f"the node {shown(node.id)} is there twice, first on line {first.line}")
    for item in _items(root, "edges", MAX_EDGES, report):
        if edge := _edge(item, graph, report):
            graph.edges.append(edge)
            graph.leaving.setdefault(edge.source, []).append(edge)
            graph.coming.setdefault(edge.target, []).append(edge)
    return graph


def _items(root: Mapping, key: str, limit: int, report: Report) -> list[Node]:
    found = root.entries.get(key)
    if found is None or (isinstance(found, Scalar) and found.kind == "null"):
        return []
    if not isinstance(found, Sequence):
        report.error(found.place, f"'{key}' must be a list")
        return []
    if len(found.items) > limit:
        report.error(found.items[limit].place, f"a flow has at most {limit} {key}")
    return found.items[:limit]


def _node(item: Node, report: Report) -> PdNode | None:
    entries = item.entries if isinstance(item, Mapping) else {}
    name, kind, data = _word(entries, "id"), _word(entries, "type"), entries.get("data")
    if not name or not kind or len(name) > 100 or not name.isprintable() or ":" in name:
        report.error(item.place, "a node needs 'id' and 'type', texts of at most 100 characters")
        return None
    block = data if isinstance(data, Mapping) else Mapping(item.place, {}, {})
    places = {key: value.place for key, value in block.entries.items()}
    return PdNode(name, kind, _word(entries, "parentId"), plain(block), places, entries["id"].place)


def _edge(item: Node, graph: Graph, report: Report) -> PdEdge | None:
    entries = item.entries if isinstance(item, Mapping) else {}
    source, target = _word(entries, "source"), _word(entries, "target")
    for name in (source, target):
        if name not in graph.nodes:
            meant = report.meant(name, graph.nodes)
            report.warning(item.place, f"this edge names {shown(name)}, but there is no such node{meant}")
            return None
    return PdEdge(source, target, _word(entries, "sourceHandle"), _word(entries, "targetHandle"))


def _word(entries: dict[str, Node], key: str) -> str:
    found = entries.get(key)
    return found.text if isinstance(found, Scalar) and found.kind == "str" else ""


def order(graph: Graph) -> list[str]:
    """The nodes outside of containers as they run: what configures, what triggers, then what gets messages."""
    roots = {name: node for name, node in graph.nodes.items() if not node.parent}
    wires = [e for e in graph.edges if e.source in roots and e.target in roots and _sorts(e)]
    waiting = dict.fromkeys(roots, 0)
    for edge in wires:
        waiting[edge.target] += 1
    free = [node for node in roots.values() if not waiting[node.id] and node.type not in WATCHERS]
    ready = deque(node.id for node in sorted(free, key=_rank))
    done: list[str] = []
    while ready:
        done.append(ready.popleft())
        for edge in wires:
            if edge.source == done[-1]:
                waiting[edge.target] -= 1
                if not waiting[edge.target]:
                    ready.append(edge.target)
    return done


def _sorts(edge: PdEdge) -> bool:
    return edge.out not in LATE_SOURCES and not edge.into.startswith("fork-")


def _rank(node: PdNode) -> int:
    return 0 if node.type in FIRST else 1 if node.type == "trigger" else 2


def leaves(graph: Graph, inside: list[PdNode]) -> Iterator[str]:
    """Those of a container that send to none of its others."""
    names = {node.id for node in inside}
    for node in inside:
        if not any(edge.target in names for edge in graph.out(node.id)):
            yield node.id


def heads(graph: Graph, inside: list[PdNode]) -> Iterator[str]:
    """Those of a container that get from none of its others, and are not there to watch."""
    names = {node.id for node in inside}
    for node in inside:
        if node.type not in WATCHERS and not any(edge.source in names for edge in graph.into(node.id)):
            yield node.id
