"""A loopback server of raw bytes: says what the test scripts, and remembers what it heard."""

import socket
import threading
from collections.abc import Callable
from types import TracebackType

Script = Callable[[socket.socket, bytes], None]


class Listener:
    """Answers each request of each connection by `script(connection, request)`."""

    def __init__(
        self, script: Script | bytes, wrap: Callable[[socket.socket], socket.socket] | None = None
    ) -> None:
        self.script = script if callable(script) else lambda connection, _: connection.sendall(script)
        self.wrap = wrap or (lambda connection: connection)
        self.heard: list[bytes] = []
        self.connections = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def __enter__(self) -> "Listener":
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, raw: socket.socket) -> None:
        try:
            with self.wrap(raw) as connection:
                while request := connection.recv(65_536):
                    self.heard.append(request)
                    self.script(connection, request)
        except OSError:
            return


def reply(body: bytes = b"ok", *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(location: str) -> bytes:
    return reply(b"", f"Location: {location}", status="302 Found")
