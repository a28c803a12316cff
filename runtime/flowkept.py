"""What a flow keeps from one run to the next, as its page shows it and people delete it."""

from dataclasses import dataclass
from typing import Any

from billing.redis import redis
from bundles.author import Author
from bundles.models import Flow
from runtime.flowmemory import start

MOST = 1000  # keys that are shown
LONGEST = 20_000  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Entry:
    """One key; a long value is cut for the page."""

    key: str
    value: str
    size: int


def prefix(flow: Flow) -> str:
    return start(str(flow.bundle.tenant_id), str(flow.pk))


def keys_of(flow: Flow) -> list[bytes]:
    return sorted(redis().scan_iter(match=f"{prefix(flow)}*", count=1000))


def entries(flow: Flow) -> list[Entry]:
    names = keys_of(flow)[:MOST]
    values: list[Any] = redis().mget(names) if names else []
    start = len(prefix(flow))
    return [
        entry(name[start:], value) for name, value in zip(names, values, strict=True) if value is not None
    ]


def entry(name: bytes, value: bytes) -> Entry:
    text = value.decode("utf-8", "replace")
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return Entry(name.decode("utf-8", "replace"), shown, len(name) + len(value))


def forget(by: Author, flow: Flow, key: str | None) -> None:
    """One key, or all of them."""
    names = keys_of(flow) if key is None else [f"{prefix(flow)}{key}".encode()]
    for at in range(0, len(names), 500):
        redis().unlink(*names[at : at + 500])
    by.record("flow.forget", flow.name, flow=str(flow.pk), key="*" if key is None else key[:200])
