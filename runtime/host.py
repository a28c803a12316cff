"""Everything one guest call may touch: its clock, its randomness, its view of stored values, its effects."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

MAX_KEY = 512
MAX_VALUE = 256 * 1024
MAX_WRITES = 1_000
MAX_WRITTEN = 16 * 1024 * 1024
MAX_LOGS = 64 * 1024
LOG_MARKER = ("warning", "log limit of 64 KiB reached; further lines of this run were dropped")


class HostFailure(Exception):
    """The world outside could not answer; the guest sees the negative `code`, its log the message."""

    def __init__(self, message: str, code: int = -4) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Missing(NamedTuple):
    """What a run asked for and the caller has not fetched yet: kind kv, list, http or call."""

    kind: str
    name: str
    payload: bytes = b""


class Nested(NamedTuple):
    """The answer of a function that another one called, with the effects that now are the caller's too."""

    body: bytes
    writes: Mapping[str, bytes | None]
    fires: Sequence[tuple[str, bytes]]
    signals: Sequence[tuple[str, float]]
    logs: Sequence[tuple[str, str]]


Outcome = bytes | None | HostFailure | Nested


class HostCall:
    """The context of one execution. `restart` empties what a run did and keeps what it has learned."""

    __slots__ = (
        "answers",
        "draws",
        "execution",
        "fires",
        "host_calls",
        "listings",
        "log_bytes",
        "logs",
        "missing",
        "now_ms",
        "readonly",
        "reads",
        "secrets",
        "seed",
        "signals",
        "taken",
        "writes",
        "written",
    )

    def __init__(
        self,
        execution: str,
        now_ms: int,
        *,
        seed: bytes | None = None,
        secrets: Mapping[str, str] | None = None,
        readonly: bool = False,
    ) -> None:
        self.execution = execution
        self.now_ms = now_ms
        self.seed = execution.encode() if seed is None else seed
        self.secrets: Mapping[str, str] = secrets or {}
        self.readonly = readonly
        self.reads: dict[str, bytes | None] = {}
        self.listings: dict[str, tuple[str, ...]] = {}
        self.answers: list[Outcome] = []  # of http and call, in the order they were asked
        self.restart()

    def restart(self) -> None:
        """Forget what the last attempt did; keep reads, listings and answers."""
        self.writes: dict[str, bytes | None] = {}
        self.fires: list[tuple[str, bytes]] = []
        self.signals: list[tuple[str, float]] = []
        self.logs: list[tuple[str, str]] = []
        self.missing: list[Missing] = []
        self.host_calls = self.log_bytes = self.written = self.draws = self.taken = 0

    def learn(self, missing: Missing, outcome: Outcome | Iterable[str]) -> None:
        """Keep the answer to something that was missing, for this attempt and later ones."""
        if missing.kind == "list" and not isinstance(outcome, (bytes, HostFailure, Nested)):
            self.listings[missing.name] = tuple(outcome or ())
        elif missing.kind == "kv" and (outcome is None or isinstance(outcome, bytes)):
            self.reads[missing.name] = outcome
        elif missing.kind in ("http", "call") and (
            outcome is None or isinstance(outcome, (bytes, HostFailure, Nested))
        ):
            self.answers.append(outcome)
        else:
            raise TypeError(f"{missing.kind} cannot be answered by {type(outcome).__name__}")

    def log(self, level: str, text: str) -> None:
        """Add a line, up to 64 KiB in all; then one marker and nothing more."""
        if self.log_bytes > MAX_LOGS:
            return
        self.log_bytes += len(text.encode("utf-8", "replace"))
        self.logs.append((level, text) if self.log_bytes <= MAX_LOGS else LOG_MARKER)

    def write(self, key: str, value: bytes | None) -> int:
        """Buffer a change (None deletes); 0, or -2 when this run may not write any more."""
        if key not in self.writes and len(self.writes) >= MAX_WRITES:
            return -2
        self.written += len(value or b"")
        if self.written > MAX_WRITTEN:
            return -2
        self.writes[key] = value
        return 0

    def adopt(self, child: Nested) -> bytes:
        """Take over what a called function did; its answer."""
        self.writes.update(child.writes)
        self.fires.extend(child.fires)
        self.signals.extend(child.signals)
        for level, text in child.logs:
            self.log(level, text)
        return child.body

    def listed(self, prefix: str) -> Sequence[str] | None:
        """Keys under a prefix with this run's own changes applied; None when the stored ones are unknown."""
        stored = self.listings.get(prefix)
        if stored is None:
            return None
        gone = {k for k, v in self.writes.items() if v is None}
        own = {k for k, v in self.writes.items() if v is not None and k.startswith(prefix)}
        return sorted((set(stored) - gone) | own)

    def draw(self, size: int = 8) -> bytes:
        """The next pseudo-random bytes; the same for every run of this execution."""
        self.draws += 1
        return hashlib.shake_256(self.draws.to_bytes(8, "little") + self.seed).digest(size)
