"""AssemblyScript of others is compiled in the reader's browser alone, in a worker that reaches nobody (A072)."""

from pathlib import Path
from typing import Any
from wsgiref.headers import Headers

import pytest
from django.test import Client

from priostack import compiler
from priostack.middleware import POLICY

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "static" / "dist" / "assets"


def sent(url: str) -> str | None:
    found = Headers([])
    compiler.headers(found, "", url)
    return found.get("Content-Security-Policy")


def test_the_compiler_alone_may_run_webassembly_and_reaches_nobody() -> None:
    assert sent("/static/dist/assets/compiler-Ab_1-x.js") == compiler.POLICY
    rules = dict(rule.strip().partition(" ")[::2] for rule in compiler.POLICY.split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": "'self' 'wasm-unsafe-eval'",
        "connect-src": "data:",
    }
    assert "'unsafe" not in compiler.POLICY
    for other in ("canvas-Ab1.js", "compiler-a.js/../app.js", "my-compiler-a.js", "compiler-a.js.html"):
        assert sent(f"/static/dist/assets/{other}") is None


def test_pages_may_not_run_webassembly(alice: Any) -> None:
    assert "wasm" not in POLICY
    assert "unsafe" not in POLICY
    assert alice.client.get("/flows")["Content-Security-Policy"] == POLICY


@pytest.mark.django_db
def test_the_built_worker_is_sent_with_its_policy(client: Client) -> None:
    built = [file for file in ASSETS.glob("compiler-*.js") if file.stat().st_size > 1_000_000]
    if not built:
        pytest.skip("THE COMPILER'S POLICY IS NOT TESTED: static/dist is not built (make build)")
    answer = client.get(f"/static/dist/assets/{built[0].name}")
    assert (answer.status_code, answer["Content-Security-Policy"]) == (200, compiler.POLICY)
    answer.close()
