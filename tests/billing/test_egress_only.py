"""There is one way out (ATTACKS A016): nothing else in the product opens connections to a URL by itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUARD = {
    "billing/body.py",
    "billing/connection.py",
    "billing/egress.py",
    "billing/gate.py",
    "billing/pool.py",
    "billing/wire.py",
}
CLIENTS = {
    "httpx", "httpcore", "requests", "urllib3", "urllib.request", "http.client", "aiohttp", "ftplib",
    "telnetlib", "websocket", "websockets", "pycurl", "xmlrpc.client",
}  # fmt: skip
# Commands of the operator, and the wait for the first answer, speak to the operator's own processes.
OPERATOR = {ROOT / "priostack" / "management", ROOT / "market" / "management"}
GUARD |= {"priostack/ready.py"}
FILES = [
    path
    for floor in ("billing", "bundles", "market", "runtime", "priostack")
    for path in sorted((ROOT / floor).rglob("*.py"))
    if str(path.relative_to(ROOT)) not in GUARD and OPERATOR.isdisjoint(path.parents)
]


def modules(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_file_brings_its_own_http_client(path: Path) -> None:
    own = {name for name in modules(path) if name in CLIENTS or name.split(".")[0] in CLIENTS}
    assert not own, "use billing.egress: it vets the destination and pins the connection"


OPENERS = {"create_connection", "open_connection", "HttpResponseParser", "create_datagram_endpoint"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_file_opens_connections_by_hand(path: Path) -> None:
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not names & OPENERS, "use billing.egress: it vets the destination and pins the connection"


def test_the_guard_itself_would_be_noticed() -> None:
    assert "httpx" in modules(ROOT / "billing" / "egress.py")
