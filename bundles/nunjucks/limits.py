"""What one rendering may use, and the counters that hold it to that."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bundles.nunjucks.errors import Exhausted

MAX_SOURCE = 2_000_000  # characters of one template
MAX_TOKENS = 100_000  # words, signs and pieces of text of one template
MAX_PATTERNS = 5_000  # characters of all regexes of one template
MAX_NESTING = 60  # brackets, tags and unary operators inside each other in a source
MAX_CHAIN = 100  # lookups, calls or filters after one value
MAX_CALLS = 40  # macros, includes and blocks inside each other while rendering
MAX_LEVELS = 100  # of lists and objects inside each other
CHARACTERS = 32  # of text that is read or made for one step
ENTRY = 10  # steps for a macro, an include or a block
INTERMEDIATE = 4  # times the output is what all texts made on the way may have
SLICE = 5_000  # steps between two looks at the clock


class Words:
    """What all templates of one request may have together: reading them costs as much as rendering them."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left


@dataclass(frozen=True, slots=True)
class Limits:
    """`steps`: nodes, loop turns, elements and 32 characters each; `output`: characters of the result.

    What `set`, macros and blocks write counts as output too, each time it is written. `told` hears at the end how
    many steps it took, also of a rendering that failed.
    """

    steps: int = 1_000_000
    output: int = 10_000_000
    seconds: float = 5.0
    told: Callable[[int], None] | None = None


class Run:
    """The counters of one rendering. `left` and `room` are counted down in place by the compiled closures."""

    __slots__ = ("deadline", "depth", "include", "left", "limits", "room", "steps", "texts")

    def __init__(self, limits: Limits, include: Callable[[str], Any] | None) -> None:
        self.limits = limits
        self.include = include
        self.left = 0
        self.steps = limits.steps
        self.room = limits.output
        self.texts = limits.output * INTERMEDIATE
        # Of the processor: a busy machine is not the template's fault.
        self.deadline = time.thread_time() + limits.seconds
        self.depth = 0
        self.refill()

    def refill(self) -> None:
        """Take the next slice of steps, and look at the clock."""
        debt = -self.left
        if self.steps < debt:
            self.steps = 0
            raise Exhausted(f"the template takes more than {self.limits.steps:,} steps")
        taken = min(self.steps, max(SLICE, debt))
        self.steps -= taken
        self.left += taken
        if time.thread_time() > self.deadline:
            raise Exhausted(f"the template takes longer than {self.limits.seconds:g} s")

    @property
    def used(self) -> int:
        return self.limits.steps - self.steps - max(0, self.left)

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            self.refill()

    def read(self, size: int) -> None:
        """Charge for going through a text of that size."""
        self.left -= size // CHARACTERS + 1
        if self.left < 0:
            self.refill()

    def make(self, size: int) -> None:
        """Charge for a text of that size, before it is made."""
        self.texts -= size
        if size > self.limits.output or self.texts < 0:
            raise Exhausted(f"the template makes more than {self.limits.output:,} characters")
        self.read(size)

    def full(self) -> None:
        raise Exhausted(f"the output is longer than {self.limits.output:,} characters")

    def enter(self) -> None:
        self.depth += 1
        self.spend(ENTRY)
        if self.depth > MAX_CALLS:
            raise Exhausted(f"macros, includes and blocks are nested deeper than {MAX_CALLS}")

    def leave(self) -> None:
        self.depth -= 1
