"""A real smart-http Git server on loopback: git's own http-backend behind Python's http.server."""

import base64
import os
import subprocess
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

AUTHOR = {
    "GIT_AUTHOR_NAME": "Alice", "GIT_AUTHOR_EMAIL": "alice@example.com",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_NAME": "Alice", "GIT_COMMITTER_EMAIL": "alice@example.com",
    "GIT_COMMITTER_DATE": "1700000000 +0000", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip

Tree = Mapping[str, "bytes | Tree | tuple[str, str]"]  # file, folder, or (mode, object id or link text)


class Repository:
    """A bare repository whose commits are built object by object, so that they may be hostile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "--bare", "--quiet", "--initial-branch=main", ".")

    def git(self, *args: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            check=True,
            env=os.environ | AUTHOR,
        )
        return done.stdout.decode().strip()

    def blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", stdin=data)

    def tree(self, files: Tree) -> str:
        lines = []
        for name, entry in files.items():
            if isinstance(entry, bytes):
                lines.append(f"100644 blob {self.blob(entry)}\t{name}")
            elif isinstance(entry, tuple):
                mode, value = entry
                kind, sha = ("commit", value) if mode == "160000" else ("blob", self.blob(value.encode()))
                lines.append(f"{mode} {kind} {sha}\t{name}")
            else:
                lines.append(f"040000 tree {self.tree(entry)}\t{name}")
        return self.git("mktree", "-z", "--missing", stdin="\0".join(lines).encode() + b"\0")

    def commit(self, files: Tree, branch: str = "main") -> str:
        commit = self.git("commit-tree", "-m", "import", self.tree(files))
        self.git("update-ref", f"refs/heads/{branch}", commit)
        return commit


class GitServer:
    """Serves the repositories below `root`; `token`, `redirect` and `trickle` make it difficult."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.token: str | None = None
        self.redirect: str | None = None
        self.trickle = False
        self.plain_files = False  # as any web server would serve the folder
        self.requests: list[tuple[str, str | None]] = []  # path, Authorization
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, name: str = "shop.git", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{name}"

    def accepts(self, header: str | None) -> bool:
        if self.token is None:
            return True
        scheme, _, value = (header or "").partition(" ")
        if scheme.lower() == "bearer":
            return value == self.token
        return scheme.lower() == "basic" and base64.b64decode(value).decode().partition(":")[2] == self.token

    def __enter__(self) -> "GitServer":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    owner: GitServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self) -> None:
        authorization = self.headers.get("Authorization")
        self.owner.requests.append((self.path, authorization))
        if self.owner.trickle:
            return self._endless()
        if self.owner.redirect:
            return self._plain(302, {"Location": self.owner.redirect + self.path})
        if not self.owner.accepts(authorization):
            return self._plain(401, {"WWW-Authenticate": 'Basic realm="git"'})
        if self.owner.plain_files:
            return self._file()
        return self._backend()

    def _file(self) -> None:
        path = self.owner.root / self.path.partition("?")[0].lstrip("/")
        if path.is_file():
            self._plain(200, {}, path.read_bytes())
        else:
            self._plain(404, {})

    def _plain(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"001e# service=git-upload-pack\n")
                time.sleep(0.02)
        except OSError:
            return

    def _backend(self) -> None:
        path, _, query = self.path.partition("?")
        environment = os.environ | {
            "GIT_PROJECT_ROOT": str(self.owner.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
