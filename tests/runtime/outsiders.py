"""What performers of http, llm and agent nodes are given in tests: a context around a bundle that nobody calls."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from billing.secrets import Bound
from bundles.bundle import Definition
from bundles.flow import Flow, Handler, Listener
from runtime.flowneeds import Context, Failure, Need, Tokens
from runtime.kv import Space
from runtime.live import LiveBundle

TENANT = "0190a000-0000-7000-8000-000000000001"
Peer = Callable[[str, Any], Any]


def definition(**more: Any) -> Definition:
    return Definition("shop", "", "", (), {}, {}, {}, (), **more)


def bundle(secrets: Mapping[str, tuple[str, tuple[str, ...]]], **more: Any) -> LiveBundle:
    """`secrets`: name -> (value, hosts)."""
    bound = {name: Bound(value.encode(), hosts) for name, (value, hosts) in secrets.items()}
    return LiveBundle(
        id="0190a000-0000-7000-8000-000000000002", tenant_id=TENANT, tenant="alice", name="shop", revision=1,
        definition=definition(**more), modules={}, guests={}, absent={},
        secrets={name: value for name, (value, _) in secrets.items()}, space=Space.of(TENANT, "b"), bound=bound,
    )  # fmt: skip


class Around:
    """A context, and what the performer did with it."""

    def __init__(
        self,
        *,
        llm: Mapping[str, Any] | None = None,
        secrets: Mapping[str, tuple[str, tuple[str, ...]]] | None = None,
        peers: Mapping[str, Peer] | None = None,
        tokens: int = 100_000,
        listeners: tuple[Listener, ...] = (),
        vars: Mapping[str, Any] | None = None,
        bundle_llm: Mapping[str, Any] | None = None,
    ) -> None:
        self.logs: list[tuple[str, str]] = []
        self.called: list[tuple[str, Any]] = []
        self.kept: bytes | None = None
        self.peers = peers or {}
        self.bundle = bundle(secrets or {}, llm=bundle_llm or {})
        flow = Flow("f", "f", "", "flows/f.yaml", "organism", listeners, llm=llm or {})
        self.context = Context(
            self.bundle, "0190-run", flow, Tokens(tokens), self.bundle.secrets.get, self.call, self.load, self.save,
            lambda level, text: self.logs.append((level, text)), vars=vars or {},
        )  # fmt: skip

    async def call(self, name: str, payload: bytes, key: str) -> bytes | Failure:
        value = orjson.loads(payload)
        self.called.append((name, value))
        answer = self.peers[name](value)
        if hasattr(answer, "__await__"):
            answer = await answer
        return answer if isinstance(answer, Failure) else orjson.dumps(answer)

    async def load(self) -> bytes | None:
        return self.kept

    async def save(self, data: bytes) -> None:
        self.kept = data


def need(kind: Any, options: Mapping[str, Any] | None = None, payload: Any = None, **more: Any) -> Need:
    raw = more.pop("written", options) or {}
    listener = more.pop("listener", None) or Listener("node", Handler("builtin", builtin=kind), options=raw)
    return Need(1, kind, "node", 3, orjson.dumps(payload), options or {}, listener, **more)


def value(answer: bytes | Failure) -> Any:
    """The payload that goes on; a failure ends the test."""
    assert isinstance(answer, bytes), answer
    return orjson.loads(answer)


def failed(answer: bytes | Failure) -> Failure:
    assert isinstance(answer, Failure), answer
    return answer
