"""What a flow is once it is read: its listeners, triggers, limits and problems. Plain frozen data."""

from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any, Literal

from bundles.nodes import Problem
from bundles.target import Target

HandlerKind = Literal["wasm", "flow", "prompt", "builtin", "agent", "unbound"]
TriggerType = Literal["webhook", "schedule", "manual", "sensor"]
Misfire = Literal["skip", "once"]
Respond = Literal["sync", "async"]
Scheduling = Literal["breadth-first", "depth-first"]
Dialect = Literal["organism", "pdflow"]

RETRIES = 0
BACKOFF_MS = 1_000
MAX_ITERATIONS = 5
MAX_HOPS = 10_000
MAX_TOKENS = 100_000
WINDOWS = {1: "s", 60: "m", 3600: "h"}
CONCURRENCY, HANDLERS, PER_AGENT = 50, 20, 5


@dataclass(frozen=True, slots=True)
class Handler:
    """What a listener runs. `text` is as written; an agent's target, if any, is the prompt of `promptRef`."""

    kind: HandlerKind
    text: str = ""
    target: Target | None = None
    builtin: str = ""
    line: int = 0  # where the target stands; 0: with the name of the listener
    column: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    """One node; `options` are the plain values of `with`; `agent` also holds for agents of one's own code."""

    name: str
    handler: Handler
    description: str = ""
    peers: tuple[str, ...] = ()
    options: Map[str, Any] = field(default_factory=dict)
    retries: int = RETRIES
    backoff_ms: int = BACKOFF_MS
    timeout_ms: int | None = None
    on_error: str = ""
    prompt: str = ""
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    max_iterations: int = MAX_ITERATIONS
    agent: bool = False
    broadcast: bool = False
    disabled: bool = False
    file: str = ""
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Rate:
    """So many calls in a second, a minute or an hour."""

    calls: int
    window_s: int

    def __str__(self) -> str:
        return f"{self.calls}/{WINDOWS[self.window_s]}"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a flow; `hmac` names the secret that signs its requests."""

    name: str
    type: TriggerType
    to: str
    cron: str = ""
    timezone: str = "UTC"
    misfire: Misfire = "skip"
    every_ms: int | None = None
    sensor: str = ""
    respond: Respond = "sync"
    hmac: str = ""
    rate: Rate | None = None  # of a webhook
    enabled: bool = True
    file: str = ""
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True)
class Edge:
    """A wire; port is peer, error, case 0 …, else, body, done or trigger."""

    source: str
    port: str
    target: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A flow; with an error among its problems it must not run. `sources` are the files it was read from."""

    name: str
    title: str
    description: str
    file: str
    dialect: Dialect
    listeners: tuple[Listener, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    scheduling: Scheduling = "breadth-first"
    max_hops: int = MAX_HOPS
    max_tokens: int = MAX_TOKENS
    concurrency: int = CONCURRENCY
    handlers: int = HANDLERS
    per_agent: int = PER_AGENT
    memory: int = 0
    llm: Map[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    sources: tuple[str, ...] = ()
    modules: Map[str, str] = field(default_factory=dict)  # found by their path, not by their folder
    _by_name: Map[str, Listener] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        by_name = {listener.name.lower(): listener for listener in reversed(self.listeners)}
        object.__setattr__(self, "_by_name", by_name)

    def listener(self, name: str) -> Listener | None:
        """By its name, in any case of letters."""
        return self._by_name.get(name.lower())

    @property
    def entry(self) -> str:
        """Where a message goes that names no listener."""
        if self.triggers and self.triggers[0].to:
            return self.triggers[0].to
        return self.listeners[0].name if self.listeners else ""

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)
