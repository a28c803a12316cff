"""A stage for calls: bundles imported and started for real, and the gateway called as an ASGI server would."""

import json
from pathlib import Path
from typing import Any

import orjson
from channels.db import database_sync_to_async

from bundles import deploy as asking
from bundles import store
from bundles.models import Bundle
from runtime import deploy, importer
from runtime.gateway import Gateway
from tests.guests import guest

SERVICE = """
name: {name}
intents:
{intents}
api:
  basePath: /api/{name}
  endpoints:
{endpoints}
"""


def endpoints(**routes: str) -> str:
    """GET_x="wasm:m:f" → endpoint lines; the part after the method is the path's last segment."""
    lines = []
    for route, target in routes.items():
        method, _, name = route.partition("_")
        lines.append(f"    - {{name: {name}, method: {method}, path: /{name}, to: '{target}'}}")
    return "\n".join(lines)


def bundle_files(
    name: str, modules: list[str], intents: str = "  []", extra: str = "", **routes: str
) -> dict[str, bytes]:
    service = SERVICE.format(name=name, intents=intents, endpoints=endpoints(**routes))
    head = f"name: {name}\n{extra}services:\n  - path: {name}.yaml\n"
    files = {"bundle.yaml": head.encode(), f"{name}.yaml": service.encode()}
    return files | {f"wasm/{module}.wasm": guest(module) for module in modules}


def folder_files(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() and "modules" not in p.parts
    }


def run_bundle(person: Any, files: dict[str, bytes]) -> Bundle:
    """Import and start; the bundle as it then is."""
    done = store.import_files(person.email, person.tenant, files)
    asking.ask_run(person.email, done.bundle)
    deploy.start(done.bundle.pk)
    done.bundle.refresh_from_db()
    assert done.bundle.status == "running", done.bundle.status_note
    return done.bundle


class Answer:
    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = {name.decode(): value.decode("latin-1") for name, value in headers}
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def execution(self) -> str:
        return self.headers["x-execution-id"]


class Caller:
    """Calls a gateway in this process."""

    def __init__(self, token: str | None) -> None:
        self.gateway = Gateway()
        self.token = token

    async def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = "own", **headers: str
    ) -> Answer:
        data = body if isinstance(body, bytes) else orjson.dumps(body) if body is not None else b""
        sent = {
            "host": "test",
            "content-length": str(len(data)),
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("content-type", "application/json")
        token = self.token if token == "own" else token
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": raw,
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode("latin-1")) for k, v in sent.items()],
            "client": ("127.0.0.1", 1),
        }
        out: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": data, "more_body": False}

        async def send(message: Any) -> None:
            out.append(message)

        await self.gateway(scope, receive, send)
        return Answer(out[0]["status"], out[0]["headers"], b"".join(part["body"] for part in out[1:]))

    async def close(self) -> None:
        await self.gateway.stop()


async def drain() -> int:
    count: int = await database_sync_to_async(importer.drain)()
    return count
