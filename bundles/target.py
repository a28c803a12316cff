"""What an endpoint or an intent calls: `wasm:MODULE:FUNCTION`, `flow:NAME[:LISTENER]` or `prompt:ID`."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, cast

from bundles import names

GRAMMAR = "wasm:MODULE:FUNCTION, flow:NAME, flow:NAME:LISTENER or prompt:ID"
KINDS = ("wasm", "flow", "prompt")
SPACE = re.compile(r"\s")
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")

TargetKind = Literal["wasm", "flow", "prompt"]


class TargetError(ValueError):
    """Not a target; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """`module` names the module, flow or prompt; `function` the function or listener, else empty."""

    kind: TargetKind
    module: str
    function: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind, self.module, self.function) if part)


def parse(text: str) -> Target:
    """The target that a text names."""
    kind, *rest = text[:1000].split(":")
    if kind not in KINDS:
        raise TargetError(f"a target is {GRAMMAR}{names.did_you_mean(kind, KINDS)}")
    counts = {"wasm": (2,), "flow": (1, 2), "prompt": (1,)}[kind]
    if len(rest) not in counts:
        raise TargetError(f"a target is {GRAMMAR}")
    for part in rest:
        why = names.fault(part) or ("contains a space" if SPACE.search(part) else "")
        if why:
            raise TargetError(f"a part of the target {why}; a target is {GRAMMAR}")
    return Target(cast(TargetKind, kind), *rest)


def spellings(function: str) -> tuple[str, ...]:
    """The export names tried for a function, best first: itself, `handle_`, then kebab, camel, snake case."""
    words = [word.lower() for word in WORDS.findall(function)] if function.isascii() else []
    words = words or [function]
    pascal = "".join(word.capitalize() for word in words)
    others = ["-".join(words), words[0] + pascal[len(words[0]) :], "_".join(words)]
    handled = [f"handle_{name}" for name in others]
    found = [function, f"handle_{function}", *others, *handled, f"handle-{others[0]}", f"handle{pascal}"]
    return tuple(dict.fromkeys(found))


def resolve(function: str, exports: Collection[str]) -> str | None:
    """The export that a function name means, or None."""
    return next((name for name in spellings(function) if name in exports), None)
