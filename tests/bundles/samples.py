"""Small bundles for the tests of this floor."""

from io import BytesIO
from zipfile import ZipFile

from wasmtime import wat2wasm

HEAD = b"name: shop\ndescription: A small shop\nservices:\n  - path: shop/shop-service.yaml\n"
SERVICE = b"""name: shopService
intents:
  - name: tidy
    whenSensor: closing
    toFunc: wasm:shop:echo
goals:
  - name: Fast
    metric: latency
    target: "< 200ms"
    resourceContract:
      priority: high
api:
  basePath: /api/v1/shop
  endpoints:
    - name: list
      method: GET
      path: /items
      to: wasm:shop:echo
"""
ECHO = """(module (memory (export "memory") 1) (global $next (mut i32) (i32.const {start}))
  (func (export "alloc") (param i32) (result i32)
    global.get $next global.get $next local.get 0 i32.add global.set $next)
  (func (export "echo") (param i32 i32) (result i64)
    local.get 0 i64.extend_i32_u i64.const 32 i64.shl local.get 1 i64.extend_i32_u i64.or))"""


def wasm(start: int = 1024) -> bytes:
    """A module that answers with what it got; another ``start`` makes another content."""
    return bytes(wat2wasm(ECHO.format(start=start)))


def shop() -> dict[str, bytes]:
    return {"bundle.yaml": HEAD, "shop/shop-service.yaml": SERVICE, "wasm/shop.wasm": wasm()}


def zipped(files: dict[str, bytes], folder: str = "") -> bytes:
    out = BytesIO()
    with ZipFile(out, "w") as archive:
        for path, data in files.items():
            archive.writestr(folder + path, data)
    return out.getvalue()
