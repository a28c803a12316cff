"""A flow's run as JSON: everything that is on its way, so that it goes on in another process or on another day.

Nodes are written by flow and name. Work that was under way is written as a message that has not begun; a pause or a
wait keeps its time and token. An agent begins again from its buffer, and finds the calls of its tools by their names.
"""

from dataclasses import asdict
from time import perf_counter_ns
from typing import Any

import orjson

from runtime import flowlimit
from runtime.answer import Reply
from runtime.flowframe import UNREAD, Caller, Frame, Held, Message, SubFlow, ToolCall
from runtime.flowjoin import enter
from runtime.flowloop import Rounds
from runtime.flowneeds import Failure
from runtime.flowplan import Node
from runtime.flowpump import Pump

VERSION = 1


class Unusable(Exception):
    """A state that does not fit the flow any more."""


class TooLarge(Exception):
    """More than may be kept of one run."""


def save(pump: Pump, limit: int = 1 << 40) -> bytes:
    """The whole state. Call it between steps. TooLarge before it is put together, when it would be longer than that."""
    state = orjson.dumps(Writer(pump, limit).state())
    if len(state) > limit:
        raise TooLarge(above(limit))
    return state


def above(limit: int) -> str:
    return f"what is under way in this run has more than {limit >> 20} MiB, which is too much to be kept"


def load(pump: Pump, data: bytes) -> None:
    """Put a fresh pump into a saved state."""
    try:
        Reader(pump, orjson.loads(data)).read()
    except (KeyError, TypeError, IndexError, ValueError) as problem:
        raise Unusable(f"what was kept of the run does not fit the flow any more: {problem}") from None


class Writer:
    """Numbers messages, frames and owners as they are met, and counts bytes: payloads that are shared here are not
    shared in what is written."""

    def __init__(self, pump: Pump, limit: int) -> None:
        self.pump = pump
        self.limit = self.left = limit
        self.frames: dict[int, tuple[Frame, dict[str, Any]]] = {}
        self.owners: dict[int, tuple[Any, dict[str, Any]]] = {}

    def state(self) -> dict[str, Any]:
        pump = self.pump
        ready = [self.message(one) for one in [*pump.lost, *pump.ready] if not is_lost(pump, one.frame)]
        waiting = []
        for id, message in pump.waiting.items():
            if is_lost(pump, message.frame) or pump.limits.get(message) == id:
                continue
            need = pump.needs[id]
            kept = {"kind": need.kind, "due": need.due, "token": need.token, "again": id in pump.retrying}
            waiting.append({**self.held(message), **(kept if need.due is not None else {})})
        held = [
            {"node": place(one.node), "passed": one.passed, "frame": self.frame(frame), "senders": [*one.senders],
             "messages": [self.held(message) for message in one.messages]}
            for frame in pump.holding.values() if not is_lost(pump, frame)
            for one in (frame.joins or {}).values()
        ]  # fmt: skip
        return {
            "version": VERSION,
            "ready": ready,
            "waiting": waiting,
            "held": held,
            "frames": [entry for _, entry in self.frames.values()],
            "owners": [entry for _, entry in self.owners.values()],
            **self.facts(),
        }

    def text(self, payload: bytes) -> orjson.Fragment:
        self.left -= len(payload)
        if self.left < 0:
            raise TooLarge(above(self.limit))
        return orjson.Fragment(payload)

    def message(self, message: Message) -> dict[str, Any]:
        return {
            "node": place(message.node),
            "payload": self.text(message.payload),
            "frame": self.frame(message.frame),
            "sender": message.sender,
            "attempt": message.attempt,
            "step": message.step,
            "at_us": (message.began - self.pump.steps.base) // 1000 if message.began else None,
        }

    def held(self, message: Message) -> dict[str, Any]:
        """Of a step that has begun, and may have until some moment to end."""
        limit = {"limit": flowlimit.due(self.pump, message)} if message in self.pump.limits else {}
        return {**self.message(message), **limit}

    def frame(self, frame: Frame) -> int:
        if frame.id not in self.frames:
            entry: dict[str, Any] = {"id": frame.id, "index": frame.index, "answered": frame.answered}
            self.frames[frame.id] = frame, entry
            if frame.parent is not None:
                entry["parent"] = self.frame(frame.parent)
                entry["owner"] = self.owner(frame.owner)
            if frame.item is not UNREAD:
                entry["item"] = self.text(orjson.dumps(frame.item))
            if frame.asked and frame.parent is not None:
                entry["asked"] = frame.asked
            if frame.known and frame.parent is not None:
                entry["known"] = self.known(frame.known)
        return frame.id

    def known(self, known: dict[str, tuple[bytes, bytes]]) -> dict[str, Any]:
        return {name: [self.text(one) for one in pair] for name, pair in known.items()}

    def owner(self, owner: Any) -> int:
        known = self.owners.get(id(owner))
        if known is not None:
            return int(known[1]["id"])
        entry: dict[str, Any] = {"id": len(self.owners), "kind": owner.kind}
        self.owners[id(owner)] = owner, entry
        if isinstance(owner, Caller):
            entry["node"] = place(owner.node)
        elif isinstance(owner, ToolCall):
            entry["key"] = list(owner.key)
        else:
            entry["message"] = self.held(owner.message)
        if isinstance(owner, Rounds):
            entry |= {
                "items": self.text(orjson.dumps(owner.items)),
                "results": [None if one is None else [self.text(one)] for one in owner.results],
                "current": self.text(owner.current),
                "next": owner.next,
                "running": owner.running,
            }
        return int(entry["id"])

    def facts(self) -> dict[str, Any]:
        pump, text = self.pump, self.text
        output = pump.output
        return {
            "hops": pump.hops,
            "count": pump.count,
            "fuel": pump.fuel,
            "frame": pump.frames,
            "tokens": [pump.tokens.left, pump.tokens.used],
            "steps": [pump.steps.kept, pump.steps.dropped, pump.steps.room],
            "asked": pump.root.asked,
            "known": self.known(pump.root.known or {}),
            "keeps": pump.keeps,
            "fires": [[sensor, text(payload)] for sensor, payload in pump.fires],
            "left": None if pump.left is None else [text(pump.left)],
            "output": output
            and [output.status, output.body.decode("latin-1"), output.content_type, output.headers],
            "pinned": {name: text(payload) for name, payload in pump.pinned.items()},
            "tools": [self.tool(one) for one in pump.tools.values()],
        }

    def tool(self, tool: ToolCall) -> dict[str, Any]:
        """A call of an agent, with what it has come to."""
        entry: dict[str, Any] = {"key": list(tool.key), "node": place(tool.node)}
        if isinstance(tool.result, Failure):
            entry["failure"] = asdict(tool.result)
        elif tool.result is not None:
            entry["answer"] = [self.text(tool.result)]
        return entry


def place(node: Node) -> list[str]:
    return [node.plan.name, node.name]


def is_lost(pump: Pump, frame: Frame | None) -> bool:
    """Whether nothing of it matters any more, or an agent's tool call is above that the agent has given up."""
    while frame is not None:
        if frame.dead or (isinstance(frame.owner, ToolCall) and not frame.owner.is_open(pump)):
            return True
        frame = frame.parent
    return False


class Reader:
    """The other way round, with counts worked out anew."""

    def __init__(self, pump: Pump, state: dict[str, Any]) -> None:
        if state["version"] != VERSION:
            raise ValueError("it was kept by another release")
        self.pump = pump
        self.state = state
        self.entries = {entry["id"]: entry for entry in state["frames"]}
        self.frames: dict[int, Frame] = {0: pump.root}
        self.owners: dict[int, Any] = {}

    def read(self) -> None:
        self.facts()
        for entry in self.state["ready"]:
            self.pump.ready.append(self.message(entry))
        for entry in self.state["waiting"]:
            self.wait(entry)
        for entry in self.state["held"]:
            self.hold(entry)

    def facts(self) -> None:
        pump, state = self.pump, self.state
        pump.hops, pump.count, pump.fuel, pump.frames = (state[k] for k in ("hops", "count", "fuel", "frame"))
        pump.tokens.left, pump.tokens.used = state["tokens"]
        pump.steps.kept, pump.steps.dropped, pump.steps.room = state["steps"]
        pump.root.asked, pump.root.known = state.get("asked"), known(state["known"])
        pump.keeps = pump.keeps or state.get("keeps", bool(pump.root.known))
        pump.fires = [(sensor, dump(payload)) for sensor, payload in state["fires"]]
        pump.pinned = {name: dump(value) for name, value in state["pinned"].items()}
        for entry in state.get("tools", ()):
            tool = ToolCall(self.node(entry["node"]), key_of(entry))
            if "failure" in entry:
                tool.result = Failure(**entry["failure"])
            elif "answer" in entry:
                tool.result = dump(entry["answer"][0])
            pump.tools[tool.key] = tool
        if state["left"] is not None:
            pump.left = dump(state["left"][0])
        if state["output"] is not None:
            status, body, kind, headers = state["output"]
            pairs = None if headers is None else [(name, value) for name, value in headers]
            pump.output = Reply(status, body.encode("latin-1"), kind, pairs)

    def node(self, place: list[str]) -> Node:
        flow, name = place
        plan = self.pump.plan if flow == self.pump.plan.name else self.pump.world.plans[flow]
        found = plan.by_name[name.lower()]
        return found[0]

    def message(self, entry: dict[str, Any]) -> Message:
        node, frame = self.node(entry["node"]), self.frame(entry["frame"])
        message = Message(node, dump(entry["payload"]), UNREAD, frame, entry["sender"])
        message.attempt, message.step = entry["attempt"], entry["step"]
        base, at_us = self.pump.steps.base, entry["at_us"]
        message.began = min(perf_counter_ns(), base + at_us * 1000) if at_us is not None else 0
        frame.live += 1
        if node.reaches:
            enter(frame, node)
        if "limit" in entry and node.limited:
            flowlimit.resume(self.pump, message, entry["limit"])
        return message

    def wait(self, entry: dict[str, Any]) -> None:
        message = self.message(entry)
        if "kind" not in entry:
            message.repeated = True
            self.pump.ready.append(message)
            return
        need = self.pump.need(entry["kind"], message, {}, due=entry["due"], token=entry["token"])
        if entry["again"]:
            self.pump.retrying.add(need.id)

    def hold(self, entry: dict[str, Any]) -> None:
        node, frame = self.node(entry["node"]), self.frame(entry["frame"])
        held = Held(node)
        held.passed, held.senders = entry["passed"], set(entry.get("senders", ()))
        held.messages = [self.message(one) for one in entry["messages"]]
        if held.messages:
            assert frame.reach is not None
            frame.reach[node.index] -= len(held.messages)
        frame.joins = frame.joins or {}
        frame.joins[node.index] = held
        self.pump.holding[frame.id] = frame

    def frame(self, id: int) -> Frame:
        if id not in self.frames:
            entry = self.entries[id]
            made = Frame(id, self.frame(entry["parent"]), self.owner(entry["owner"]))
            made.index, made.answered = entry["index"], entry["answered"]
            made.item = entry.get("item", UNREAD)
            made.asked, made.known = entry.get("asked"), known(entry.get("known", {}))
            if isinstance(made.owner, Rounds) and not made.answered:
                made.owner.open[id] = made
            self.frames[id] = made
        return self.frames[id]

    def owner(self, id: int) -> Any:
        if id not in self.owners:
            entry = next(entry for entry in self.state["owners"] if entry["id"] == id)
            self.owners[id] = self.made(entry)
        return self.owners[id]

    def made(self, entry: dict[str, Any]) -> Any:
        if entry["kind"] == "caller":
            return Caller(self.node(entry["node"]))
        if entry["kind"] == "tool":
            return self.pump.tools[key_of(entry)]
        message = self.message(entry["message"])
        if entry["kind"] == "flow":
            return SubFlow(message)
        rounds = Rounds(message, entry["items"])
        rounds.results = [None if one is None else dump(one[0]) for one in entry["results"]]
        rounds.current = dump(entry["current"])
        rounds.next, rounds.running = entry["next"], entry["running"]
        return rounds


def key_of(entry: dict[str, Any]) -> tuple[int, int, str]:
    step, attempt, name = entry["key"]
    return step, attempt, name


def known(entries: dict[str, Any]) -> dict[str, tuple[bytes, bytes]]:
    return {name: (dump(one), dump(two)) for name, (one, two) in entries.items()}


def dump(value: Any) -> bytes:
    return orjson.dumps(value)
