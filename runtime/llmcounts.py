"""What this process asked of language models: tries by provider and how they ended, breakers that are not closed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from runtime.llmtypes import LlmError

if TYPE_CHECKING:
    from runtime.llmbackends import Backend, Load

PROVIDERS = frozenset({"openai", "anthropic", "xai", "ollama", "rehearsal"})
_tries: Counter[tuple[str, str]] = Counter()
_opened: Counter[str] = Counter()
_resting: "WeakSet[Load]" = WeakSet()  # those whose breaker has been open


def label(backend: "Backend") -> str:
    """Providers that a tenant named are no labels."""
    return backend.provider if backend.provider in PROVIDERS else "other"


@contextmanager
def counted(load: "Load") -> Iterator[None]:
    """One try. It goes around the breaker, whose opening it sees."""
    name, before = label(load.backend), load.breaker.state
    try:
        yield
        _tries[name, "answered"] += 1
    except LlmError as error:
        _tries[name, "timeout" if error.code == "timeout" else "failed"] += 1
        if before != "open" and load.breaker.state == "open":
            _opened[name] += 1
            _resting.add(load)
        raise


def snapshot() -> dict[str, Any]:
    states = Counter((label(load.backend), load.breaker.state) for load in list(_resting))
    return {
        "tries": [[*names, count] for names, count in list(_tries.items())],
        "opened": [[name, count] for name, count in list(_opened.items())],
        "breakers": [[*names, count] for names, count in states.items() if names[1] != "closed"],
    }
