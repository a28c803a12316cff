"""The example behind its routes: requests by path, and a small HTTP server for the client script."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bundles.bundle import Definition, load
from bundles.routes import RouteTable
from tests.examples.host import ECOMMERCE, Answer, Host

KEY = "test-key"


def files() -> dict[str, bytes]:
    """The folder as it is imported."""
    found = (path for path in ECOMMERCE.rglob("*") if path.is_file() and "node_modules" not in path.parts)
    return {path.relative_to(ECOMMERCE).as_posix(): path.read_bytes() for path in found}


def definition() -> Definition:
    return load(files())


class Front:
    """Finds the endpoint of a path and calls its function."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.table = RouteTable.of(definition().services)
        self.lock = threading.Lock()

    def ask(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Answer:
        match = self.table.match(method, path)
        assert match, f"{method} {path} has no endpoint"
        request = {"method": method, "path": path, "params": match.params, "query": query or {}, "body": body}
        return self.host.call(str(match.endpoint.to).removeprefix("wasm:"), request)

    def ask_and_drain(self, method: str, target: str, body: bytes) -> Answer:
        """As over HTTP; the intents run before the answer leaves."""
        parts = urlsplit(target)
        with self.lock:
            query = dict(parse_qsl(parts.query))
            path = parts.path.removeprefix("/demo")
            answer = self.ask(method, path, json.loads(body) if body else None, query)
            self.host.drain()
        return answer


class Handler(BaseHTTPRequestHandler):
    """One request of the client script."""

    front: Front

    def do_GET(self) -> None:
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self.reply(401, b'{"error":"who are you?"}')
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.front.ask_and_drain(self.command, self.path, body)
        self.reply(answer.status, json.dumps(answer.body).encode())

    do_POST = do_DELETE = do_GET

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("X-Compute-Units", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def served(host: Host) -> Iterator[str]:
    """The address of a shop."""
    handler = type("ShopHandler", (Handler,), {"front": Front(host)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/demo"
    server.shutdown()
    server.server_close()
    thread.join()
