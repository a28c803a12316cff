"""The text of a prompt for a call: rendered within limits, its steps charged as compute units."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bundles.nunjucks import Limits
from bundles.promptcompile import Compiled, Format
from runtime.prompts import LivePrompt
from runtime.wasm import Trap
from runtime.wasmtypes import EXHAUSTED, STEP_FUEL

QUICK = 10_000  # steps that may hold up an event loop: a few milliseconds
MOST = 500_000
OUTPUT = 2_000_000
SECONDS = 3.0
SPEAKS = re.compile(r"#[ \t]*user\b|\{%-?\s*(include|import|from|extends)\b", re.IGNORECASE)


class Unfit(Exception):
    """The prompt cannot be rendered with these values; ``errors`` tell why."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors[0]["message"])
        self.errors = errors


@dataclass(slots=True)
class Text:
    """The renderings of one call, which share its fuel."""

    prompt: LivePrompt
    values: Mapping[str, Any]
    budget: int
    used: int = 0
    steps: list[int] = field(default_factory=list)

    async def messages(self) -> list[dict[str, str]]:
        """What the model is told: by the prompt's own headings, else the whole text as the user's words."""
        if SPEAKS.search(self.prompt.prepared.text.content):
            found = (await self.compiled("openai")).output
            if isinstance(found, list) and any(one["role"] == "user" for one in found):
                return found
        text = (await self.compiled("markdown")).output
        return [{"role": "user", "content": text}] if isinstance(text, str) else []

    async def compiled(self, format: Format) -> Compiled:
        """Long ones in a thread. Trap when the call's compute units are used up, Unfit when it fails otherwise."""
        made = self.at_once(format)
        return made or self.charged(*await asyncio.to_thread(partial(self.attempt, format, MOST)))

    def at_once(self, format: Format) -> Compiled | None:
        """The same for a text that is made quickly; None for a long one, and then nothing was charged."""
        made, steps = self.attempt(format, QUICK)
        return None if made.has_errors and steps >= QUICK else self.charged(made, steps)

    def charged(self, made: Compiled, steps: int) -> Compiled:
        self.used += max(1, steps) * STEP_FUEL
        if made.has_errors:
            if self.used >= self.budget:
                raise Trap("fuel", EXHAUSTED, fuel=self.budget)
            raise Unfit([fault(one) for one in made.problems if one.severity == "error"])
        return made

    def attempt(self, format: Format, most: int) -> tuple[Compiled, int]:
        taken: list[int] = []
        steps = min(most, max(0, self.budget - self.used) // STEP_FUEL)
        limits = Limits(steps=steps, output=OUTPUT, seconds=SECONDS, told=taken.append)
        made = self.prompt.prepared.render(self.values, format, limits=limits)
        return made, sum(taken)


def fault(problem: Any) -> dict[str, Any]:
    told = {"path": "", "message": problem.message}
    return {**told, "file": problem.file, "line": problem.line, "column": problem.column}
