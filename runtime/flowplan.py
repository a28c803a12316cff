"""A flow made ready to run: nodes that know their peers, with every expression compiled; once per loaded bundle."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson

from bundles.cel import CelError
from bundles.flow import Flow, Listener
from bundles.target import Target
from runtime import flowlimit, flownodes

if TYPE_CHECKING:
    from runtime.flowframe import Message
    from runtime.flowpump import Pump

ANY = "*"
NOWHERE = Target("wasm", "", "")  # of nodes that are no function
Run = Callable[["Pump", "Node", "Message"], bool]


class PlanError(Exception):
    """The flow cannot be run; the message says why."""


class Node:
    """One listener, ready: ``run`` handles a message and says whether it goes on holding it."""

    __slots__ = (
        *(
            "allowed",
            "backoff_ms",
            "calls",
            "cyclic",
            "data",
            "error",
            "function",
            "head",
            "index",
            "kind",
            "limited",
            "listener",
            "name",
            "names",
        ),
        *("peers", "plan", "reaches", "retries", "run", "target", "timeout_ms", "waits"),
    )

    run: Run
    data: Any  # what the kind of node needs: compiled options

    def __init__(self, plan: "Plan", index: int, listener: Listener) -> None:
        self.plan = plan
        self.index = index
        self.listener = listener
        self.name = listener.name
        handler = listener.handler
        self.kind: str = handler.builtin if handler.kind == "builtin" else handler.kind
        if listener.disabled:
            self.kind = "disabled"
        self.target = str(handler.target) if handler.target else ""
        self.function = handler.target or NOWHERE
        self.retries = listener.retries
        self.backoff_ms = listener.backoff_ms
        self.timeout_ms = listener.timeout_ms
        self.limited = bool(self.timeout_ms) and self.kind in flowlimit.HOLDING
        self.peers: tuple[Node, ...] = ()
        self.names: tuple[str, ...] = ()
        self.allowed: frozenset[int] = frozenset()
        self.error: tuple[Node, ...] = ()
        self.reaches: tuple[int, ...] = ()  # the joins that a message here may still come to
        self.waits = False  # its function was seen to keep state or to wait: it is not tried at once
        self.cyclic = False  # a join that what it sends may come back to
        self.head = head(self.name)
        # An agent of one's own code: what it sends to a peer is a question, the answer comes back to it.
        self.calls: bool = self.kind == "wasm" and bool(listener.prompt or getattr(listener, "agent", False))

    def __repr__(self) -> str:
        return f"<{self.plan.name}:{self.name}>"


class Plan:
    """A flow's nodes and limits."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.name = flow.name
        self.nodes = [Node(self, index, listener) for index, listener in enumerate(flow.listeners)]
        self.by_name: dict[str, tuple[Node, ...]] = {node.name.lower(): (node,) for node in self.nodes}
        self.depth_first = flow.scheduling == "depth-first"
        self.room: asyncio.Semaphore | None = None  # for its runs in this process
        self.rooms: dict[str, asyncio.Semaphore] = {}  # for each of its agents
        self.uses: frozenset[str] = frozenset()  # the root names that expressions read
        self.waits = tuple(node for node in self.nodes if node.kind == "wait")
        self.slow = 0  # how often, of late, a run of it took too long to be done at once
        if not self.nodes:
            raise PlanError("the flow has no listeners")
        self.entry = self.find(flow.entry)

    def find(self, name: str) -> tuple[Node, ...]:
        """The nodes that an address means: the one of that name, else all `name.…` that are open to broadcasts."""
        key = name.lower()
        if found := self.by_name.get(key):
            return found
        open_to = (node for node in self.nodes if node.listener.broadcast)
        return tuple(node for node in open_to if node.name.lower().startswith(f"{key}."))

    def node(self, name: str) -> Node:
        found = self.by_name.get(name.lower())
        if found is None:
            raise PlanError(f"there is no node “{name}” in the flow “{self.name}”")
        return found[0]


def plan(flow: Flow) -> Plan:
    """The plan of a flow without errors; PlanError tells what of it cannot be run."""
    made = Plan(flow)
    uses: set[str] = set()
    for node in made.nodes:
        try:
            wire(made, node)
            node.run, node.data = flownodes.bind(node, uses)
        except (CelError, ValueError, KeyError, TypeError) as problem:
            raise PlanError(f"node “{node.name}”: {problem}") from None
    made.uses = frozenset(uses)
    reach(made)
    return made


def wire(made: Plan, node: Node) -> None:
    listener = node.listener
    if ANY in listener.peers:
        node.allowed = frozenset(range(len(made.nodes)))
    else:
        node.peers = tuple(peer for name in listener.peers for peer in made.find(name))
        node.allowed = frozenset(peer.index for peer in node.peers) | {node.index}
    node.names = tuple(peer.name for peer in node.peers)
    if listener.on_error:
        node.error = made.find(listener.on_error)


def leads_to(made: Plan, node: Node) -> set[int]:
    """Where a message may go from a node, within the frame of its caller."""
    found = set(node.allowed) - {node.index} | {one.index for one in node.error}
    for name in flownodes.named(node):
        found |= {one.index for one in made.find(name)}
    return found


def reach(made: Plan) -> None:
    """For each node the joins that can be reached from it; a join holds what came until nothing else can come."""
    joins = {node.index for node in made.nodes if node.kind == "join"}
    if not joins:
        return
    steps: Mapping[int, set[int]] = {node.index: leads_to(made, node) for node in made.nodes}
    for node in made.nodes:
        seen: set[int] = set()
        ahead = [node.index]
        while ahead:
            place = ahead.pop()
            if place not in seen:
                seen.add(place)
                ahead.extend(steps[place])
        node.reaches = tuple(sorted(seen & joins))
        node.cyclic = node.index in joins and any(node.index in steps[place] for place in seen)


def head(name: str) -> bytes:
    """The request of a function up to its body; the rest is the same for all steps of a run."""
    values = {"method": "FLOW", "path": name, "params": {}, "query": {}, "headers": {}}
    return orjson.dumps(values)[:-1] + b',"body":'
