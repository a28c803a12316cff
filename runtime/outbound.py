"""The `http` host function: only to hosts that the bundle names, through the one egress guard."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from billing.egress import EgressFailed, EgressRefused, afetch
from runtime.host import HostFailure
from runtime.live import LiveBundle

TIMEOUT_S = 20.0
MAX_BYTES = 1024 * 1024


async def http(bundle: LiveBundle, payload: bytes) -> bytes | HostFailure:
    """{method, url, headers, body} → {status, headers, body}; a refusal or failure is told to the guest."""
    try:
        wanted = orjson.loads(payload)
        url = str(wanted["url"])
        permit(bundle, payload, url)
        headers = {str(name): str(value) for name, value in (wanted.get("headers") or {}).items()}
        answer = await afetch(
            str(wanted.get("method") or "GET"),
            url,
            headers=headers,
            content=content(wanted.get("body"), headers),
            timeout=TIMEOUT_S,
            max_bytes=MAX_BYTES,
            tenant=bundle.tenant_id,
            permit=lambda hop: permit(bundle, payload, hop),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as problem:
        return HostFailure(f"http: the request is not {{method, url, headers, body}}: {problem}")
    except (EgressRefused, EgressFailed) as problem:
        return HostFailure(f"http: {problem}")
    return orjson.dumps({"status": answer.status, "headers": dict(answer.headers), "body": body(answer.body)})


def permit(bundle: LiveBundle, payload: bytes, url: str) -> None:
    """EgressRefused unless the bundle may reach the host, and every secret in the request may travel there."""
    check_host(url, bundle.definition.allowed_hosts)
    host = urlsplit(url).hostname or ""
    for name, secret in bundle.bound.items():
        if len(secret.value) >= 4 and secret.value in payload and not secret.may_go(host):
            raise EgressRefused(f"the secret “{name}” is not bound to {host}")


def check_host(url: str, allowed: tuple[str, ...]) -> None:
    """EgressRefused unless the bundle's `http.allowedHosts` names the host (and port, when it is not the usual one)."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port
    for rule in allowed:
        name, _, number = rule.partition(":")
        fits = host.endswith(name[1:]) if name.startswith("*.") else host == name
        if fits and (port in (None, 80, 443) if not number else str(port) == number):
            return
    asked = f"{host}:{port}" if host and port not in (None, 80, 443) else host or "this host"
    raise EgressRefused(f"{asked} is not among http.allowedHosts of bundle.yaml")


def content(value: Any, headers: Mapping[str, str]) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, dict) and set(value) == {"base64"}:
        return base64.b64decode(value["base64"], validate=True)
    if isinstance(value, str) and any(name.lower() == "content-type" for name in headers):
        return value.encode()
    return orjson.dumps(value)


def body(data: bytes) -> Any:
    """JSON as it is, else text, else {"base64": …}: as requests' bodies are shown to functions."""
    if not data:
        return None
    try:
        orjson.loads(data)
        return orjson.Fragment(data)  # never written anew: what can be read may be too deep for that
    except orjson.JSONDecodeError:
        pass
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
