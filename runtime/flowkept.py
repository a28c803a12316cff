"""What a flow keeps from one run to the next, as its page shows it and people delete it."""

from dataclasses import dataclass
from typing import Any

from billing.redis import redis
from bundles.author import Author
from bundles.models import Flow
from runtime.flowmemory import DELETE, keys

MOST = 1000  # keys that are shown
LONGEST = 20_000  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Entry:
    """One key; a long value is cut for the page."""

    key: str
    value: str
    size: int


def places(flow: Flow) -> list[str]:
    return keys(str(flow.bundle.tenant_id), str(flow.pk))


def entries(flow: Flow) -> list[Entry]:
    """Sorted by key, at most so many."""
    found: Any = redis().hgetall(places(flow)[0])
    return [entry(key, found[key]) for key in sorted(found)[:MOST]]


def entry(key: bytes, value: bytes) -> Entry:
    text = value.decode("utf-8", "replace")
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return Entry(key.decode("utf-8", "replace"), shown, len(key) + len(value))


def used(flow: Flow) -> int:
    """Bytes of all keys and values."""
    found: Any = redis().get(places(flow)[1])
    return max(0, int(found or 0))


def forget(by: Author, flow: Flow, key: str | None) -> None:
    """One key, or all of them."""
    if key is None:
        redis().unlink(*places(flow))
    else:
        redis().eval(DELETE, 2, *places(flow), key)
    by.record("flow.forget", flow.name, flow=str(flow.pk), key="*" if key is None else key[:200])
