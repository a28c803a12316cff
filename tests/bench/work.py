"""The work that is measured: W1 echoes a JSON body, W2 sums ten items and adds 20 % tax; and a bundle that does both."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from tests.guests import guest

SLUG = "bench"
BASE = "/api/bench"
MODULES = ("echo", "total", "total_as")
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


def files() -> dict[str, bytes]:
    """The bundle: an endpoint for each module."""
    endpoints = "".join(ENDPOINT.format(name) for name in MODULES)
    service = f"name: bench\napi:\n  basePath: {BASE}\n  endpoints:\n{endpoints}"
    head = "name: bench\nservices:\n  - path: bench.yaml\n"
    texts = {"bundle.yaml": head.encode(), "bench.yaml": service.encode()}
    return texts | {f"wasm/{name}.wasm": guest(name) for name in MODULES}


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, data in files().items():
            packed.writestr(path, data)
    return out.getvalue()
