"""What the editor's compiler may do in a browser: run WebAssembly, which it is itself, and reach nobody."""

import re
from wsgiref.headers import Headers

FILE = re.compile(r"/assets/compiler-[^/]+\.js$")  # as vite.config.ts names them
# `data:` alone may be fetched: AssemblyScript brings a part of itself that way.
POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src data:"


def headers(sent: Headers, path: str, url: str) -> None:
    """A worker is bound by the policy of its own file; the pages' scripts stay bound by the pages'."""
    if FILE.search(url):
        sent["Content-Security-Policy"] = POLICY
