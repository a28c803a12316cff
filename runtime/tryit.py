"""What the "Try it" console starts with: the parameters of a path, an example from the declared tests, the curl line."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import orjson

from bundles.checks import UNSET, Checks
from bundles.endpoints import Endpoint
from bundles.paths import segments
from bundles.routes import RouteTable
from bundles.service import Service
from market import estimate
from runtime.estimates import seeded

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Example:
    """A request to an endpoint; ``body`` is JSON text."""

    params: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    headers: str = ""
    body: str = ""


def parameters(service: Service, endpoint: Endpoint) -> list[str]:
    return [part[1:] for part in segments(service.base_path + endpoint.path) if part.startswith(":")]


def example(service: Service, endpoint: Endpoint, checks: Checks) -> Example:
    """From the first declared test that calls the endpoint and succeeds; else empty, with {} for a body."""
    table = RouteTable.of([service])
    for check in sorted(checks.checks, key=lambda one: (one.expect.status or 200) >= 400):
        request = check.request
        match = table.match(request.method, request.path.partition("?")[0]) if request else None
        if request is None or match is None or match.endpoint.name != endpoint.name:
            continue
        headers = "\n".join(f"{name}: {value}" for name, value in request.headers)
        return Example(match.params, urlencode(request.query), headers, pretty(request.body, endpoint))
    return Example(body=pretty(UNSET, endpoint))


def cost(bundle: UUID, service: Service, endpoint: Endpoint) -> dict[str, str]:
    """What the market's cost preview asks for, as the contract and the last calls say it (R4, R19, R20)."""
    contract = endpoint.contract
    written = contract.compute_units if contract.compute_units_written else None
    measured = None if written is not None else seeded(bundle).raw(service.name, endpoint.name)
    asked = {"cu": str(estimate.need(written, measured))}
    if contract.cost_ceiling is not None:
        asked["ceiling"] = str(contract.cost_ceiling)
    if contract.auto_bid is False or (contract.auto_bid is None and contract.priority == "low"):
        asked["bid"] = "never"
    return asked


def pretty(body: Any, endpoint: Endpoint) -> str:
    if body is UNSET:
        return "{}" if endpoint.method in WITH_BODY else ""
    return orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()


def address(base: str, path: str, sent: Example) -> str:
    """The URL of the example; parameters without a value stay as they are written."""
    parts = [
        quote(sent.params[part[1:]], safe="") if part.startswith(":") and sent.params.get(part[1:]) else part
        for part in path.split("/")
    ]
    return base + "/".join(parts) + (f"?{sent.query}" if sent.query else "")


def curl(url: str, endpoint: Endpoint, sent: Example) -> str:
    """The command for a shell; static/js/tryit.ts writes the same one while somebody types."""
    verb = "" if endpoint.method == "GET" else f"-X {endpoint.method} "
    parts = [f"curl {verb}{shlex.quote(url)}"]
    if endpoint.auth != "public":
        parts.append('-H "Authorization: Bearer $KEY"')
    parts += [f"-H {shlex.quote(line)}" for line in sent.headers.splitlines() if line.strip()]
    if sent.body:
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(sent.body)}"]
    return " \\\n  ".join(parts)
