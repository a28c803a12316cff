"""The REST face of a service: a base path and its endpoints."""

import re
from dataclasses import dataclass, field
from typing import Literal

from bundles import fields, interceptor, names, paths
from bundles.contract import Contract, Contracts
from bundles.fields import Field, Read, Unique
from bundles.interceptor import Interceptors
from bundles.target import Target
from bundles.values import NOWHERE, Mapping, Node, Place, Report, Scalar, Sequence, shown

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
AUTH = ("key", "public")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?")

API_FIELDS = fields.table(
    Field("basePath", "string", 'Where the endpoints begin, for example "/api/v1/catalog"', required=True),
    Field("endpoints", "list", "The endpoints"),
    Field("auth", "choice", "key (default): the tenant's key is needed; public: open to all", choices=AUTH),
    Field("cors", "any", 'Origins whose pages may call: a list, "*" or true for all (default none)'),
    Field("interceptors", "node", "What wraps each call, for example rateLimit or cache"),
    Field("description", "text", "What this API is for"),
)
ENDPOINT_FIELDS = fields.table(
    Field("name", "name", "Name of the endpoint, unique in its service", required=True),
    Field("method", "string", "GET, POST, PUT, DELETE or PATCH", required=True),
    Field("path", "string", 'Path after basePath; ":name" is a parameter', required=True),
    Field("to", "target", "What is called: wasm:MODULE:FUNCTION, flow:NAME or prompt:ID", required=True),
    Field("description", "text", "What this endpoint does"),
    Field("goal", "name", "The goal whose contract applies (default: all goals of the service together)"),
    Field("auth", "choice", "key or public; default as the api", choices=AUTH),
    Field("interceptors", "node", "What wraps each call, within those of the api"),
)

Auth = Literal["key", "public"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method at one path; `path` is as written, after the base path of its service."""

    service: str
    name: str
    method: str
    path: str
    to: Target
    description: str
    auth: Auth
    goal: str | None
    contract: Contract
    file: str
    line: int
    interceptors: Interceptors = ()  # all that wrap its calls, those of the api too, outermost first
    to_place: Place = NOWHERE
    path_place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Api:
    """What the `api` block of a service says."""

    base_path: str = ""
    auth: Auth = "key"
    cors: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = field(default=())


def read(node: Mapping, report: Report, *, service: str, contracts: Contracts) -> Api:
    """The `api` block; an endpoint that cannot be served is reported and left out."""
    found = fields.read(node, API_FIELDS, report, of="an api")
    base = found.get("basePath")
    if base is not None and (why := _base_fault(base)):
        report.error(found.at("basePath"), f"'basePath' {shown(base)} {why}")
        base = None
    outer = interceptor.read(found.get("interceptors"), report, scope="api")
    reader = _Reader(report, service, found, contracts, outer)
    return Api(
        base_path=(base or "").rstrip("/"),
        auth=found.get("auth", "key"),
        cors=_cors(node.entries.get("cors"), report),
        endpoints=reader.endpoints() if base is not None else (),
    )


@dataclass(slots=True)
class _Reader:
    """Reads the endpoints of one api."""

    report: Report
    service: str
    api: Read
    contracts: Contracts
    outer: Interceptors

    def endpoints(self) -> tuple[Endpoint, ...]:
        result: list[Endpoint] = []
        unique = Unique("endpoint", self.report)
        for node in self.api.items("endpoints"):
            endpoint = self.endpoint(node)
            if endpoint and unique.take(endpoint.name, node.place):
                result.append(endpoint)
        return tuple(result)

    def endpoint(self, node: Node) -> Endpoint | None:
        item = fields.mapping(node, self.report, of="an endpoint")
        found = fields.read(item, ENDPOINT_FIELDS, self.report, of="an endpoint") if item else None
        if found is None:
            return None
        method, path = self.method(found), self.path(found)
        if method is None or path is None or not {"name", "to"} <= found.values.keys():
            return None
        return Endpoint(
            service=self.service,
            name=found.get("name"),
            method=method,
            path=path,
            to=found.get("to"),
            description=found.get("description", ""),
            auth=found.get("auth", self.api.get("auth", "key")),
            goal=found.get("goal"),
            contract=self.contracts(found.get("goal"), found.at("goal")),
            file=node.place.file,
            line=node.place.line,
            interceptors=self.interceptors(found),
            to_place=found.at("to"),
            path_place=found.at("path"),
        )

    def interceptors(self, found: Read) -> Interceptors:
        own = interceptor.read(found.get("interceptors"), self.report, scope="endpoint")
        every = interceptor.combined(self.outer, own)
        interceptor.check_access(every, found.get("auth", self.api.get("auth", "key")), self.report)
        return every

    def method(self, found: Read) -> str | None:
        method = found.get("method")
        if method is None or method in METHODS:
            return str(method) if method else None
        place = found.at("method")
        if method.upper() in METHODS:
            self.report.warning(place, f"'method' is {shown(method)}", f"write {method.upper()}")
            return str(method.upper())
        meant = names.did_you_mean(method, METHODS)
        hint = "HEAD and OPTIONS are answered by the platform" if method in ("HEAD", "OPTIONS") else ""
        self.report.error(place, f"'method' is {shown(method)}, not one of {', '.join(METHODS)}{meant}", hint)
        return None

    def path(self, found: Read) -> str | None:
        path = found.get("path")
        if path is None:
            return None
        if why := paths.route_fault(path, parameters=True):
            self.report.error(found.at("path"), f"'path' {shown(path)} {why}")
            return None
        if why := paths.reserved_fault(self.api.get("basePath", "") + path):
            self.report.error(found.at("path"), f"'path' {shown(path)} {why}")
            return None
        return str(path)


def _base_fault(base: str) -> str:
    return paths.route_fault(base, parameters=False) or paths.reserved_fault(base)


def _cors(node: Node | None, report: Report) -> tuple[str, ...]:
    if node is None or (isinstance(node, Scalar) and node.value in (None, False)):
        return ()
    if isinstance(node, Scalar) and node.value in (True, "*"):
        return ("*",)
    items = node.items if isinstance(node, Sequence) else [node]
    origins: list[str] = []
    for item in items:
        text = item.text if isinstance(item, Scalar) else ""
        if text != "*" and not ORIGIN.fullmatch(text):
            message = f"'cors' holds {fields.describe(item)}, which is not an origin"
            report.error(item.place, message, "write https://example.org, or * for all")
        else:
            origins.append(text)
    return tuple(dict.fromkeys(origins))
