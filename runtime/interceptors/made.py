"""From what a bundle says to chains: once for each endpoint, when the bundle is loaded."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from billing.errors import ApiError
from bundles.bundle import Definition
from bundles.endpoints import Endpoint
from bundles.interceptor import Interceptor
from runtime.interceptors import cache, cells, compression, expressions
from runtime.interceptors.auth import Auth
from runtime.interceptors.chain import Chain, build, build_waiting
from runtime.interceptors.compression import Compression
from runtime.interceptors.execute import execute, execute_now
from runtime.interceptors.expressions import Filter, RequestTransform, ResponseTransform
from runtime.interceptors.link import Link
from runtime.interceptors.observers import Logging, Monitoring
from runtime.interceptors.own import OnRequest, OnResponse
from runtime.interceptors.ratelimit import RateLimit
from runtime.interceptors.timeout import Timeout
from runtime.interceptors.tokens import Fixed, Signed, Unfit, Verify

WINDOW_MS = 60_000
log = logging.getLogger(__name__)
Key = tuple[str, str]  # service and endpoint


@dataclass(frozen=True, slots=True)
class Source:
    """What links are made of, beside their options."""

    tenant_id: str
    bundle_id: str
    secrets: Mapping[str, str]


def chains(definition: Definition, source: Source) -> dict[Key, Chain]:
    """Only for endpoints that have interceptors."""
    return {
        (endpoint.service, endpoint.name): chain(endpoint, source)
        for service in definition.services
        for endpoint in service.endpoints
        if endpoint.interceptors
    }


def chain(endpoint: Endpoint, source: Source) -> Chain:
    links = tuple(link for one in endpoint.interceptors for link in made(one, endpoint, source))
    metrics = settings.INTERCEPTOR_METRICS
    now = build(links, execute_now, metrics=metrics) if all(link.at_once for link in links) else None
    asking = [one for one in endpoint.interceptors if one.asks_for_token]
    required = not asking or asking[0].options.get("required") is not False
    return Chain(links, now, build_waiting(links, execute), bool(asking), required)


def made(one: Interceptor, endpoint: Endpoint, source: Source) -> list[Link]:
    """One link for each, two for a transform of both sides."""
    place = cells.Place(source.bundle_id, endpoint.service, endpoint.name, one.name)
    cell = cells.cell(place, histogram=one.kind == "monitoring", told=settings.INTERCEPTOR_METRICS)
    return MAKERS[one.kind](Making(one, endpoint, source, cell))


@dataclass(frozen=True, slots=True)
class Making:
    """One interceptor about to become links."""

    one: Interceptor
    endpoint: Endpoint
    source: Source
    cell: cells.Cell

    def get(self, name: str, default: Any = None) -> Any:
        return self.one.options.get(name, default)


def monitoring(making: Making) -> list[Link]:
    return [Monitoring(making.cell, cells.users(making.source.bundle_id))]


def logs(making: Making) -> list[Link]:
    return [Logging(making.cell, making.get("level", "info"))]


def packing(making: Making) -> list[Link]:
    threshold = making.get("threshold", compression.THRESHOLD)
    return [Compression(making.cell, threshold, making.get("level", compression.LEVEL))]


def timeout(making: Making) -> list[Link]:
    return [Timeout(making.cell, making.get("timeoutMs", settings.INTERCEPTOR_TIMEOUT_MS))]


def auth(making: Making) -> list[Link]:
    required = making.get("required", True)
    if not making.one.asks_for_token:
        return [Auth(making.cell, required=required)]
    try:
        return [Auth(making.cell, verifier(making), required=required)]
    except Unfit as wrong:
        place = making.one.place
        log.warning("%s:%d: auth refuses everybody: %s", place.file, place.line, wrong)
        return [Auth(making.cell, required=required, ready=False)]


def verifier(making: Making) -> Verify:
    name = making.get("secret") or making.get("token")
    value = making.source.secrets.get(name)
    if value is None:
        raise Unfit(f"the tenant has no secret {name}")
    if making.get("token"):
        return Fixed(name, value.encode())
    options = {"audience": making.get("audience"), "issuer": making.get("issuer")}
    return Signed(making.get("algorithm"), value.encode(), **options)


def rate_limit(making: Making) -> list[Link]:
    """One of an api counts the calls of all its endpoints together. Names may hold anything, so keys hold a hash."""
    one, endpoint, source = making.one, making.endpoint, making.source
    name = "" if one.scope == "api" else endpoint.name
    where = "\0".join((endpoint.service, name, one.scope, one.place.file, str(one.place.line)))
    digest = hashlib.sha256(where.encode()).hexdigest()[:16]
    place = f"{source.tenant_id}:{source.bundle_id}:{digest}"
    most = making.get("maxRequests") or making.get("max") or settings.INTERCEPTOR_RATE_MAX
    return [
        RateLimit(making.cell, place, most, making.get("windowMs", WINDOW_MS), making.get("by", "caller"))
    ]


def filtering(making: Making) -> list[Link]:
    refused = ApiError(making.get("status", 422), making.get("message", expressions.REFUSED))
    return [Filter(making.cell, expressions.of_request(making.get("when")), refused)]


def transform(making: Making) -> list[Link]:
    optional, links = making.get("optional", False), list[Link]()
    if text := making.get("request"):
        links.append(RequestTransform(making.cell, expressions.of_request(text), optional=optional))
    if text := making.get("response"):
        links.append(ResponseTransform(making.cell, expressions.of_response(text), optional=optional))
    return links


def own(making: Making) -> list[Link]:
    assert making.one.target is not None
    kind = OnResponse if making.get("on") == "response" else OnRequest
    return [kind(making.cell, making.one.target, optional=making.get("optional", False))]


def caching(making: Making) -> list[Link]:
    text = making.get("key")
    key = cache.private(
        expressions.of_request(text) if text else cache.whole, shared=making.get("shared", False)
    )
    most, ttl_s = making.get("maxCacheSize", cache.MOST), making.get("ttl", cache.TTL_S * 1000) / 1000
    return [cache.Cache(making.cell, key, making.source.tenant_id, most=most, ttl_s=ttl_s)]


MAKERS: Mapping[str, Callable[[Making], list[Link]]] = {
    "monitoring": monitoring,
    "logging": logs,
    "compression": packing,
    "timeout": timeout,
    "auth": auth,
    "rateLimit": rate_limit,
    "filter": filtering,
    "transform": transform,
    "wasm": own,
    "cache": caching,
}
