"""A circuit breaker for a backend: after some faults in a row it is left alone for a while, then tried with one request."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from runtime.llmtypes import LlmError

FAULTS = 5
REST_S = 30.0
State = Literal["closed", "open", "half-open"]


@dataclass(slots=True)
class Breaker:
    """Of one backend in this process. Only faults of its server count: time-outs, 5xx, broken answers."""

    most: int = FAULTS  # 0: it never opens
    rest_s: float = REST_S
    faults: int = 0  # in a row
    until: float = 0.0  # on time.monotonic()
    trying: bool = False

    @property
    def state(self) -> State:
        if not self.most or self.faults < self.most:
            return "closed"
        return "open" if time.monotonic() < self.until else "half-open"

    def wait(self) -> float:
        """Seconds for which it is not asked; 0 when it may be asked now."""
        state = self.state
        if state == "closed" or (state == "half-open" and not self.trying):
            return 0.0
        return max(1.0, self.until - time.monotonic())

    @contextmanager
    def watched(self) -> Iterator[None]:
        """One request: what came of it counts. One that is cancelled says nothing about the server."""
        alone = self.state == "half-open"
        if alone and self.trying:
            raise LlmError("handler", "another request finds out whether it is back", retryable=True)
        self.trying = self.trying or alone
        try:
            yield
        except LlmError as error:
            self.told(error)
            raise
        else:
            self.faults = 0
        finally:
            self.trying = self.trying and not alone

    def answers(self) -> None:
        """A stream has begun: it may last, and others need not wait for its end."""
        self.trying = False

    def told(self, error: LlmError) -> None:
        if not error.fault:
            return
        self.faults += 1
        if self.most and self.faults >= self.most:
            self.until = time.monotonic() + self.rest_s
