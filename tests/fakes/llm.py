"""A language model's server on loopback: OpenAI's, Anthropic's and Ollama's protocol over real HTTP.

`python -m tests.fakes.llm --port 8090` runs it by itself; point a backend's base_url at http://127.0.0.1:8090/v1.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.fakes import speech
from tests.fakes.brain import Asked, Brain, Turn, refuse, say, wish

__all__ = ["Asked", "Fake", "Turn", "refuse", "say", "wish"]

PATHS = {
    "/v1/chat/completions": speech.openai,
    "/v1/messages": speech.anthropic,
    "/api/chat": speech.ollama,
}


class Server(ThreadingHTTPServer):
    """Clients that hang up are nothing to tell of."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Fake:
    """The server in a thread; `asked` is what it heard."""

    def __init__(self, script: Iterable[Turn] | Callable[[Asked], Turn] = (), port: int = 0) -> None:
        self.brain = Brain(script)
        self.most = self.busy = 0  # requests at the same time
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", port), handler(self))
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    @property
    def asked(self) -> list[Asked]:
        return self.brain.asked

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}"

    def __enter__(self) -> "Fake":
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()


def handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, *parts: Any) -> None:
            pass

        def do_GET(self) -> None:
            self.reply(200, {"data": [{"id": "gpt-5-mini", "object": "model"}], "object": "list"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
            talk = PATHS.get(self.path)
            if talk is None:
                return self.reply(404, {"error": {"message": "no such path"}})
            with fake.lock:
                fake.busy += 1
                fake.most = max(fake.most, fake.busy)
                headers = {name.lower(): text for name, text in self.headers.items()}
                asked = Asked(self.path, headers, body)
                turn = fake.brain.answer(asked)
            try:
                time.sleep(turn.delay)
                self.give(talk, asked, turn)
            except OSError:
                self.close_connection = True
            finally:
                with fake.lock:
                    fake.busy -= 1

        def give(self, talk: Any, asked: Asked, turn: Turn) -> None:
            if turn.raw is not None:
                self.wfile.write(turn.raw)
                self.close_connection = True
            elif turn.status != 200:
                self.reply(turn.status, {"error": {"message": turn.error, "type": "error"}}, turn.headers)
            elif asked.body.get("stream"):
                self.stream(talk.stream(asked, turn), turn, kind=talk.kind)
            else:
                self.reply(200, talk.whole(asked, turn), turn.headers)

        def reply(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            self.wfile.flush()

        def stream(self, parts: Iterator[bytes], turn: Turn, *, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            pieces = list(parts)
            half = len(pieces) // 2
            for piece in cycle(pieces[1:half]) if turn.endless else pieces[:half] if turn.cut else pieces:
                time.sleep(turn.pause)
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()
            if not turn.cut:
                self.wfile.write(b"0\r\n\r\n")
            else:
                self.close_connection = True

    return Handler


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument(
        "--script", type=Path, help="a JSON list of turns: {text} or {calls: [[name, arguments]]}"
    )
    chosen = parser.parse_args()
    turns = [read(one) for one in json.loads(chosen.script.read_text())] if chosen.script else []
    with Fake(turns, chosen.port) as fake:
        print(f"{fake.url}/v1", flush=True)
        threading.Event().wait()


def read(one: dict[str, Any]) -> Turn:
    calls = tuple((name, arguments) for name, arguments in one.get("calls", ()))
    return Turn(one.get("text", ""), calls, one.get("status", 200), error=one.get("error", ""))


if __name__ == "__main__":
    main()
