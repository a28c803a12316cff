"""What interceptors cost inside of one process, as JSON: `python -m tests.bench.chaincost rounds calls`."""

# ruff: noqa: E402  the runtime needs settings

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "priostack.settings")

import django

django.setup()

from bundles import bundle
from bundles.routes import Match
from runtime import metrics
from runtime.answer import Reply
from runtime.exchange import Asked
from runtime.interceptors import cache, cells
from runtime.interceptors.auth import Auth
from runtime.interceptors.chain import build
from runtime.interceptors.compression import Compression
from runtime.interceptors.expressions import Filter, RequestTransform, of_request
from runtime.interceptors.invocation import Invocation
from runtime.interceptors.link import Link, Run
from runtime.interceptors.observers import Logging, Monitoring
from runtime.interceptors.timeout import Timeout
from runtime.interceptors.tokens import Signed
from runtime.logs import Publisher
from tests.runtime import guarded

HEADERS = {"host": "127.0.0.1", "content-type": "application/json", "accept": "*/*", "user-agent": "bench"}
BODY = {"n": 1, "valid": True}
REPLY = Reply(200, b'{"n":1}')
GROWTH_CALLS = 100_000


def match() -> Match:
    files = guarded.files(guarded.endpoint("a", "[]"))
    service = bundle.load(files).services[0]
    owner = SimpleNamespace(id="bench", tenant="bench")
    return Match(service.endpoints[0], {"sku": "a-1"}, service, owner)


MATCH, WAIST = match(), SimpleNamespace(publisher=Publisher())


async def gone(limit: int) -> bytes:
    return b""


def asked(token: str | None = None) -> Asked:
    return Asked("POST", "/bench/api/shop/a", b"", HEADERS, token, "127.0.0.1", gone)


def invocation(asked: Asked) -> Invocation:
    call = Invocation(asked, "/api/shop/a", MATCH, WAIST, b'{"n":1,"valid":true}')  # type: ignore[arg-type]
    call.known_as("key:ps_bench1", "key:bench")
    return call


def inner(call: Any) -> Reply:
    return REPLY


def cell(name: str) -> cells.Cell:
    return cells.cell(cells.Place("bench", "shop", "a", name), histogram=name == "monitoring")


def always(call: Any) -> bool:
    return True


def same(call: Any) -> Any:
    return BODY


def memo(key: cache.KeyOf) -> cache.Cache:
    """One whose answer is there already."""
    link = cache.Cache(cell("cache"), key, "bench", ttl_s=3600)
    call = invocation(asked())
    link.before(call)
    link.keep(call.key, REPLY)
    return link


def links() -> dict[str, Link]:
    return {
        "monitoring": Monitoring(cell("monitoring"), set()),
        "logging": Logging(cell("logging"), "info"),
        "compression": Compression(cell("compression")),
        "timeout": Timeout(cell("timeout"), 1000),
        "auth": Auth(cell("auth")),
        "filter": Filter(cell("filter"), always),
        "transform": RequestTransform(cell("transform"), same),
        "memoized hit": memo(lambda call: "a-1"),
    }


def others() -> dict[str, Link]:
    """Printed without a goal."""
    return {
        "filter, CEL": Filter(cell("filter"), of_request("request.body.valid")),
        "transform, CEL": RequestTransform(cell("transform"), of_request('{"n": request.body.n}')),
        "memoized hit, CEL key of a caller": memo(
            cache.private(of_request("request.params.sku"), shared=False)
        ),
        "memoized hit, by the whole request": memo(cache.private(cache.whole, shared=False)),
    }


def ten() -> list[Link]:
    """Ten that all do their work, and reach the call."""
    made = links()
    made.pop("memoized hit")
    never = cache.Cache(cell("cache"), lambda call: "a-1", "bench")
    return [*made.values(), Filter(cell("filter"), always), RequestTransform(cell("transform"), same), never]


def timed(run: Run, call: Invocation, calls: int) -> float:
    """Microseconds of CPU for each call, the loop's own taken away."""
    span = range(calls)
    began = time.process_time()
    for _ in span:
        run(call)
    spent = time.process_time() - began
    began = time.process_time()
    for _ in span:
        pass
    return max(1e-9, spent - (time.process_time() - began)) / calls * 1e6


def signed(calls: int) -> float:
    """A token that was verified before."""
    call = invocation(asked(guarded.token(exp=int(time.time()) + 3600)))
    link = Auth(cell("auth"), Signed("HS256", guarded.KEY.encode(), audience=None, issuer=None))
    run = build([link], inner)

    def stranger(call: Any) -> Reply:
        call.caller = ""
        return run(call)

    return timed(stranger, call, calls)


def growth() -> float:
    """Bytes of resident memory that 100,000 calls through ten interceptors leave behind."""
    run, request = build(ten(), inner), asked()

    def some() -> None:
        for _ in range(GROWTH_CALLS):
            run(invocation(request))

    some()
    gc.collect()
    before = metrics.memory()
    some()
    gc.collect()
    return float(max(0, metrics.memory() - before))


def measure(calls: int) -> dict[str, float]:
    call = invocation(asked())
    assert call.request["body"]  # read once, as the first that looks at it does
    empty = timed(build([], inner), call, calls)
    found = {"empty": empty, "ten": timed(build(ten(), inner), call, calls // 4)}
    for name, link in {**links(), **others()}.items():
        found[name] = timed(build([link], inner), call, calls)
    found["auth, a signed token again"] = signed(calls)
    found["an invocation"] = timed(lambda asked: invocation(asked), asked(), calls // 4)  # type: ignore[arg-type,return-value]
    return found


def main(measured: Callable[[int], dict[str, float]], rounds: int, calls: int) -> None:
    gc.freeze()
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for name, value in measured(calls).items():
            found.setdefault(name, []).append(value)
    sys.stdout.write(json.dumps({**found, "growth": [growth()]}) + "\n")


if __name__ == "__main__":
    main(measure, int(sys.argv[1]), int(sys.argv[2]))
