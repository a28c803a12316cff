"""The work that is measured: W1 echoes JSON, W2 sums ten items and adds 20 % tax, W3 to W5 are flows; and the bundle."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from tests.guests import guest

SLUG = "bench"
BASE = "/api/bench"
MODULES = ("echo", "total", "total_as", "spin")
ITEMS = [{"sku": f"SKU-{n:04}", "qty": n % 4 + 1, "price": round(3.5 + n * 7.25, 2)} for n in range(10)]
SMALL = {"sku": "A-1", "qty": 2, "note": "hello world"}
ENDPOINT = "    - {{name: {0}, method: POST, path: /{0}, to: 'wasm:{0}:run'}}\n"


@dataclass(frozen=True, slots=True)
class Work:
    """A request and the answer that is the right one."""

    name: str
    path: str  # at the servers that it is compared with
    body: bytes
    answer: Any

    def right(self, body: bytes) -> bool:
        try:
            return bool(json.loads(body) == self.answer)
        except ValueError:
            return False


def summed(items: list[dict[str, Any]]) -> dict[str, Any]:
    cents = sum(item["qty"] * round(item["price"] * 100) for item in items)
    tax = (cents * 20 + 50) // 100
    money = {"subtotal": cents, "tax": tax, "total": cents + tax}
    return {"count": len(items), **{name: value / 100 for name, value in money.items()}}


W1 = Work("W1 echo", "/echo", json.dumps(SMALL).encode(), SMALL)
W2 = Work("W2 total of 10 items + tax", "/total", json.dumps({"items": ITEMS}).encode(), summed(ITEMS))


ORDER = {"total": 250, "items": ITEMS}
W3 = Work("W3 webhook, 10 wasm nodes", "/ten", json.dumps(SMALL).encode(), SMALL)
W4 = Work("W4 branch and 10 loop iterations", "/each", json.dumps(ORDER).encode(), ITEMS)
W5 = Work("W5 outbound HTTP", "/pass", json.dumps(SMALL).encode(), SMALL)
HEAD = "organism: {{name: {0}}}\ntriggers:\n  - {{name: incoming, type: webhook, to: {1}}}\nlisteners:\n"
OUTPUT = '  - {name: out, handler: builtin:output, with: {status: 200, body: "${payload}"}}\n'
STEP = "  - {{name: s{0}, handler: 'wasm:echo:run', peers: [{1}]}}\n"
EACH = """\
  - {name: size, handler: builtin:branch, with: {cases: [{if: "payload.total > 100", to: each}], else: out}}
  - {name: each, handler: builtin:loop, with: {over: "payload.items", body: price, done: out}}
  - {name: price, handler: 'wasm:echo:run'}
"""
PASS = """\
  - name: ask
    handler: builtin:http
    with: {{method: POST, url: "http://127.0.0.1:{0}/echo", body: "${{payload}}"}}
    peers: [out]
"""


def flows(upstream: int) -> dict[str, str]:
    """One flow for each of W3, W4, W5; the last one asks the server on the port ``upstream``."""
    ten = "".join(STEP.format(n, f"s{n + 1}" if n < 10 else "out") for n in range(1, 11))
    return {
        "ten": HEAD.format("ten", "s1") + ten + OUTPUT,
        "each": HEAD.format("each", "size") + EACH + OUTPUT,
        "pass": HEAD.format("pass", "ask")
        + PASS.format(upstream)
        + OUTPUT.replace("payload", "payload.body"),
    }


def files(upstream: int = 80) -> dict[str, bytes]:
    """The bundle: an endpoint for each module, and the flows."""
    endpoints = "".join(ENDPOINT.format(name) for name in MODULES)
    service = f"name: bench\napi:\n  basePath: {BASE}\n  endpoints:\n{endpoints}"
    head = "name: bench\nservices:\n  - path: bench.yaml\n"
    texts = {"bundle.yaml": head.encode(), "bench.yaml": service.encode()}
    texts |= {f"flows/{name}.yaml": text.encode() for name, text in flows(upstream).items()}
    return texts | {f"wasm/{name}.wasm": guest(name) for name in MODULES}


def archive(upstream: int = 80) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, data in files(upstream).items():
            packed.writestr(path, data)
    return out.getvalue()
