"""The message pump of flows: takes messages to their nodes until nothing is left that needs nobody else. Does no I/O.

What it waits for is in ``needs``; whoever drives it does that work and feeds the results back. One pump is one run,
with all the flows that its flow calls.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter_ns
from typing import Any
from zlib import crc32

import orjson

from bundles.cel import CelError
from runtime import flowanswer, flowjoin, flowlimit, flowtools
from runtime.answer import Reply
from runtime.flowfail import is_caught, is_dead, pin, place, told
from runtime.flowframe import UNREAD, Caller, Frame, Message, Refused, ToolCall, encoded
from runtime.flowknown import keep
from runtime.flowneeds import Failure, Kind, Need, Tokens
from runtime.flowplan import Node, Plan
from runtime.flowrecord import Steps
from runtime.flowstart import Start, World

MAX_NESTED = 200  # frames in frames
STRIKES = 3  # times that a node may send to where it must not, and is told
BACKOFF_MAX_S = 300.0


class Pump:
    """One run of a flow."""

    # More attributes than a dictionary of instances shares, so they have to have places of their own.
    __slots__ = (
        *("count", "culprit", "failure", "fires", "floor", "frames", "fresh", "fuel", "holding", "hops"),
        *("ids", "keeps", "killed", "left", "limits", "lost", "max_hops", "meter", "needs", "read"),
        *("only", "output", "pinned", "plan", "put", "ready", "replies", "retrying", "root"),
        *(
            "start",
            "steps",
            "strikes",
            "tail",
            "take",
            "tokens",
            "tools",
            "trigger",
            "until",
            "waiting",
            "world",
        ),
    )

    def __init__(self, plan: Plan, world: World, start: Start) -> None:
        self.plan = plan
        self.world = world
        self.start = start
        self.root = Frame(0, None, None)
        self.ready: deque[Message] = deque()
        self.fresh: list[Message] = []  # of the step in hand, when the order is depth-first
        self.max_hops = plan.flow.max_hops
        self.only = start.only
        self.put = self.fresh.append if plan.depth_first else self.ready.append
        self.take = self.ready.popleft
        self.needs: dict[int, Need] = {}
        self.waiting: dict[int, Message] = {}
        self.retrying: set[int] = set()  # needs that are the pause before another try
        self.limits: dict[Message, int] = {}  # held steps with a time limit, and the need that ends them
        self.replies: list[tuple[int, bytes | Failure]] = []  # for agents' tool calls
        self.tools: dict[tuple[int, int, str], ToolCall] = {}  # those that agents still ask for
        self.steps = Steps(plan.name)
        self.tokens = Tokens(plan.flow.max_tokens)
        self.tail = b',"tenant":%b,"execution":%b}' % (
            orjson.dumps(start.tenant),
            orjson.dumps(start.execution),
        )
        self.pinned = {name.lower(): encoded(value) for name, value in start.pinned.items()}
        self.holding: dict[int, Frame] = {}  # frames with messages in joins
        self.trigger: Any = UNREAD
        self.strikes: dict[str, int] = {}
        self.keeps = "steps" in plan.uses
        self.fires: list[tuple[str, bytes]] = []
        self.hops = self.count = self.frames = self.ids = 0
        self.fuel = 0
        self.meter = [1 << 62]  # steps that expressions may take; the world settles what they have taken
        self.floor = self.until = 0  # where its turn ends: steps left, and the clock in nanoseconds
        self.read = 0  # bytes of messages that were taken to their nodes
        self.output: Reply | None = None  # what an output node said
        self.left: bytes | None = None  # the first message that left the flow
        self.failure: Failure | None = None
        self.culprit = ""
        self.lost: list[Message] = []  # the message whose step failed the run, for a retry of it
        self.killed = False

    # -- beginning and going on ---------------------------------------------------------------------

    def begin(self) -> None:
        start = self.start
        nodes = (self.plan.node(start.at),) if start.at else self.plan.entry
        for node in nodes:
            self.post(node, start.payload, UNREAD, self.root, "")
        self.flush()

    def advance(self, steps: int = 1 << 62, until: int = 1 << 63) -> bool:
        """Run what needs nobody; False when it was broken off after so many steps, or by the clock."""
        ready, step, take = self.ready, self.step, self.take
        self.until = until
        while True:
            while ready and self.failure is None:
                now = perf_counter_ns()
                if steps <= 0 or now > self.until:
                    return False
                steps -= 1
                step(take(), now)
            if self.needs or self.failure or not (self.holding and flowjoin.unlock(self)):
                return True

    @property
    def done(self) -> bool:
        """Nothing is left to do and to wait for."""
        return self.failure is not None or not (self.ready or self.needs)

    def step(self, message: Message, now: int) -> None:
        frame, node = message.frame, message.node
        if self.killed and is_dead(frame):
            return self.finish(message)
        self.hops += 1
        self.read += len(message.payload)
        if self.hops > self.max_hops:
            return self.fail_run(message, Failure("budget", f"more than {self.max_hops} messages"))
        if not message.step:
            self.count = message.step = self.count + 1
        message.began = now
        if self.pinned and (pinned := pin(self, node)) is not None:
            self.passed(node, message, pinned, UNREAD)
            self.finish(message)
            return self.flush()
        try:
            holds = node.run(self, node, message)
        except (CelError, ValueError, TypeError, ArithmeticError) as problem:
            code = "budget" if self.meter[0] < 0 else "validation"
            holds = self.failed(message, Failure(code, str(problem)))
        except Refused as refused:
            holds = self.failed(message, refused.failure)
        if holds:
            if node.limited and not message.over:
                flowlimit.begin(self, message)
        elif self.failure is None:  # what failed the run stays where it was, for a retry of it
            self.finish(message)
        if self.fresh:
            self.flush()

    def flush(self) -> None:
        """Depth-first: what a step sent goes before everything that waits, in the order it was sent."""
        self.ready.extendleft(reversed(self.fresh))
        self.fresh.clear()

    # -- messages -----------------------------------------------------------------------------------

    def post(self, node: Node, payload: bytes, parsed: Any, frame: Frame, sender: str) -> None:
        """A new message on its way."""
        message = Message(node, payload, parsed, frame, sender)
        frame.live += 1
        if node.reaches:
            flowjoin.enter(frame, node)
        self.put(message)

    def finish(self, message: Message) -> None:
        """A message is dealt with: whoever waits for the last one of its frame learns of it."""
        frame = message.frame
        message.over = True
        frame.live -= 1
        if self.limits and message in self.limits:
            flowlimit.end(self, message)
        if frame.joins is not None or frame.reach is not None:
            flowjoin.leave(self, frame, message.node)
        if frame.live == 0:
            self.close(frame)

    def close(self, frame: Frame | None) -> None:
        while frame is not None and frame.live == 0 and not frame.dead:
            if frame.owner is not None and not frame.answered and not (self.killed and is_dead(frame)):
                frame.owner.closed(self, frame)
            frame = frame.parent
            if frame is not None:
                frame.live -= 1

    def nest(self, parent: Frame, owner: Any) -> Frame:
        if parent.depth >= MAX_NESTED:
            raise Refused("routing", f"calls are nested more than {MAX_NESTED} deep")
        self.frames += 1
        return Frame(self.frames, parent, owner)

    # -- what a step does with its answer ---------------------------------------------------------------

    def passed(self, node: Node, message: Message, payload: bytes, parsed: Any, fuel: int = 0) -> None:
        """The answer goes to every peer, or back to who waits."""
        self.send(node, message, payload, parsed, node.peers, fuel)

    def send(
        self, node: Node, message: Message, payload: bytes, parsed: Any, to: Sequence[Node], fuel: int = 0
    ) -> None:
        frame, name = message.frame, node.name
        if self.only and frame is self.root:
            to = ()
        if self.keeps:
            keep(frame, name, message.payload, payload)
        self.steps.add(message, to, payload, fuel)
        if not to:
            return self.respond(frame, payload, name)
        if node.calls:
            return self.call_out(node, frame, payload, to)
        for target in to:
            if target.reaches:
                flowjoin.enter(frame, target)
            frame.live += 1
            self.put(Message(target, payload, parsed, frame, name))

    def call_out(self, node: Node, frame: Frame, payload: bytes, targets: Sequence[Node]) -> None:
        """An agent of one's own code: who answers a message of it answers to it."""
        for target in targets:
            if target is node:
                self.post(node, payload, UNREAD, frame, node.name)
            else:
                self.post(target, payload, UNREAD, self.nest(frame, Caller(node)), node.name)

    def routed(self, node: Node, message: Message, payload: bytes, to: Any, fuel: int = 0) -> None:
        """As the answer's `_to` has it: one name, several, or null for whoever waits."""
        names = [to] if isinstance(to, str) else to or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise Refused("routing", "_to is a name, a list of names, or null")
        targets = []
        for name in names:
            found = [peer for peer in node.plan.find(name) if peer.index in node.allowed]
            if not found:
                return self.misrouted(node, message, payload, name)
            targets += found
        if self.strikes:
            self.strikes.pop(node.name, None)
        self.send(node, message, payload, UNREAD, targets, fuel)

    def misrouted(self, node: Node, message: Message, payload: bytes, name: str) -> None:
        """The sender is told and may try again; it does not learn which other nodes there are."""
        failure = Failure("routing", f"“{name[:100]}” is not among the peers of “{node.name}”")
        struck = self.strikes[node.name] = self.strikes.get(node.name, 0) + 1
        if node.error or struck > STRIKES:
            raise Refused(failure.code, failure.message)
        self.steps.failed(message, failure, [node])
        self.post(node, told(failure, message, payload), UNREAD, message.frame, "system")

    def respond(self, frame: Frame, payload: bytes, sender: str) -> None:
        """To whoever waits for the frame's answer; when nobody does it has left the flow."""
        if frame.owner is None:
            if self.left is None:
                self.left = payload
        elif not frame.answered and not frame.dead:
            frame.answered = True
            frame.owner.answered(self, frame, payload, sender)

    def ended(self, message: Message, payload: bytes = b"null") -> None:
        """The path ends here, with nothing sent."""
        self.steps.add(message, [], payload, 0)

    # -- failures -----------------------------------------------------------------------------------

    def failed(self, message: Message, failure: Failure) -> bool:
        """A step failed: again after a pause, or along the error edge, or on to who waits. True while it goes on."""
        node = message.node
        again = failure.retryable and message.attempt < node.retries
        self.steps.failed(message, failure, [] if again else list(node.error))
        if again:
            self.again(message, failure)
            return True
        if node.error:
            for target in node.error:
                self.post(target, told(failure, message, message.payload), UNREAD, message.frame, node.name)
        else:
            self.throw(message, failure)
        return False

    def gave_up(self, message: Message, failure: Failure) -> None:
        """As ``failed`` for a message that was held until now."""
        if not self.failed(message, failure) and self.failure is None:
            self.finish(message)
        self.flush()

    def again(self, message: Message, failure: Failure) -> None:
        """Twice the pause with each try, some of it by chance: the same chance for the same step of the same run."""
        node = message.node
        if self.limits:  # the pause is not part of its time
            flowlimit.end(self, message)
        drawn = crc32(f"{self.start.execution}:{message.step}:{message.attempt}".encode())
        chance = 0.75 + drawn % 512 / 1024
        pause = node.backoff_ms / 1000 * 2**message.attempt * chance
        pause = min(BACKOFF_MAX_S, max(pause, failure.retry_after_s or 0.0))
        message.attempt += 1
        need = self.need("timer", message, {}, due=self.world.now() + pause)
        self.retrying.add(need.id)

    def throw(self, message: Message, failure: Failure) -> None:
        """To whoever waits for the frame and has a way on from there; else it is the end of the run."""
        frame = message.frame
        owner = frame.owner
        if owner is None or not is_caught(frame, failure):
            return self.fail_run(message, failure)
        self.kill(frame)
        owner.failed(self, frame, replace(failure, message=place(message.node, failure)))

    def kill(self, frame: Frame) -> None:
        """Nothing in this frame matters any more. Whoever waits for it is still held, or is sent something."""
        if frame.dead:
            return
        frame.dead = self.killed = True
        if frame.parent is not None:
            frame.parent.live -= 1
        for id, message in list(self.waiting.items()):
            if id in self.waiting and is_dead(message.frame):
                self.needs.pop(id, None)
                self.retrying.discard(id)
                del self.waiting[id]
                if self.limits.get(message) != id:
                    self.finish(message)

    def fail_run(self, message: Message, failure: Failure) -> None:
        if self.failure is None:
            self.failure = Failure(failure.code, place(message.node, failure), failure.retryable)
            self.culprit = message.node.name
            message.attempt = 0
            self.lost = [message]

    def stop(self, failure: Failure) -> None:
        """The run ends here; what was under way may be tried again."""
        if self.failure is None:
            self.failure = failure

    # -- waiting ------------------------------------------------------------------------------------

    def need(self, kind: Kind, message: Message, options: Mapping[str, Any], **more: Any) -> Need:
        """The step goes on when this is fed."""
        self.ids += 1
        node = message.node
        need = Need(
            *(self.ids, kind, node.name, message.step, message.payload, options, node.listener),
            attempt=message.attempt,
            thread=f"{self.start.execution}:{message.frame.id}",
            sender=message.sender,
            **more,
        )
        self.needs[need.id] = need
        self.waiting[need.id] = message
        return need

    def feed(self, id: int, result: bytes | Failure, fuel: int = 0) -> None:
        """What the need came to. A need that is not known any more was given up meanwhile."""
        need, message = self.needs.pop(id, None), self.waiting.pop(id, None)
        if need is None or message is None:
            return
        if self.limits.get(message) == id:
            return flowlimit.passed(self, message)
        if id in self.retrying:
            self.retrying.discard(id)
            self.ready.append(message)
            return
        if need.kind == "agent":
            flowtools.forget(self, need.step)
        if isinstance(result, Failure):
            return self.gave_up(message, result)
        node, holds = message.node, False
        try:
            if need.kind == "wasm":
                self.took(node, message, result, fuel)
            elif need.kind == "agent":  # its peers are its tools: in the end it speaks to who asked
                self.fuel += fuel
                self.send(node, message, result, flowanswer.read(result), (), fuel)
            else:
                self.passed(node, message, result, UNREAD, fuel)
        except Refused as refused:
            holds = self.failed(message, refused.failure)
        if not holds and self.failure is None:
            self.finish(message)
        self.flush()

    def took(self, node: Node, message: Message, body: bytes, fuel: int) -> None:
        """The answer of a function: its body, without what tells where it goes."""
        self.fuel += fuel
        value = flowanswer.read(body)
        if type(value) is dict and ("status" in value or "error" in value or "_to" in value):
            return flowanswer.steered(self, message, value, body, fuel)
        self.send(node, message, body, value, node.peers, fuel)

    # -- agents' tools ------------------------------------------------------------------------------

    def call(self, need: int, name: str, payload: bytes, key: str) -> int | Failure:
        return flowtools.call(self, need, name, payload, key)
