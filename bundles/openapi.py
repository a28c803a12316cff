"""An OpenAPI 3.1 document of what a tenant runs: every endpoint of its services and every prompt."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from bundles.endpoints import Endpoint
from bundles.openapiparts import COMPONENTS, STREAMING, json_body, refused, said
from bundles.openapischema import tidy
from bundles.paths import segments
from bundles.promptparams import Parameter
from bundles.promptschema import json_schema
from bundles.promptstreaming import STREAM_FIELDS
from bundles.routes import Route, shape

Json = dict[str, Any]
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
KEY: list[Json] = [{"key": []}]
ALWAYS = (400, 404, 413, 415, 500, 501, 502, 503, 504)


class Described(Protocol):
    """A prompt as far as its description needs it; its endpoint says who may call and what wraps its calls."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def parameters(self) -> Sequence[Parameter]: ...
    @property
    def endpoint(self) -> Endpoint: ...


def document(
    tenant: str,
    server: str,
    *,
    routes: Iterable[Route],
    prompts: Iterable[Described],
    version: str = "1",
    public: bool = False,
) -> Json:
    """``server`` is the address that paths follow; ``public``: only what needs no key."""
    known = sorted(prompts, key=lambda one: one.id)
    made = _Document({one.id: one for one in known})
    for route in routes:
        if route.endpoint.auth == "public" or not public:
            made.route(route)
    for prompt in () if public else known:
        made.prompt(prompt)
    return {
        "openapi": "3.1.0",
        "info": {"title": tenant, "version": version, "description": ABOUT},
        "servers": [{"url": server}],
        "tags": [{"name": name, "description": text} for name, text in sorted(made.tags.items())],
        "paths": made.paths,
        "components": COMPONENTS,
    }


ABOUT = "What this tenant runs at present: the endpoints of its services, and its prompts."


class _Document:
    """Paths, with names that are used once."""

    def __init__(self, prompts: dict[str, Described]) -> None:
        self.prompts = prompts
        self.paths: Json = {}
        self.tags: dict[str, str] = {}
        self.names: set[str] = set()
        self.shapes: dict[
            str, tuple[str, ...]
        ] = {}  # names of the parameters that the first path of a shape has

    def route(self, route: Route) -> None:
        endpoint, service = route.endpoint, route.service
        self.tags.setdefault(service.name, service.description)
        names = tuple(part[1:] for part in segments(route.path) if part.startswith(":"))
        first = self.shapes.setdefault(shape(route.path), names)
        operation = self.operation(f"{service.name}.{endpoint.name}", service.name, endpoint)
        operation["parameters"] = [path_parameter(name) for name in first] + [PREFER]
        prompt = self.prompts.get(endpoint.to.module) if endpoint.to.kind == "prompt" else None
        if prompt is not None:
            asking(operation, prompt, endpoint.method, given=names)
        elif endpoint.method in WITH_BODY:
            operation["requestBody"] = json_body({}, required=False)
        if prompt is None:
            operation["responses"] |= {"200": said({}), "default": ANYTHING}
        operation["responses"]["202"] = TAKEN_ON
        self.add(templated(route.path, first), endpoint.method, operation)

    def prompt(self, prompt: Described) -> None:
        self.tags.setdefault("prompts", "Prompts: checked, compiled, and answered by a model")
        operation = self.operation(f"prompt.{prompt.id}", "prompts", prompt.endpoint)
        operation |= {"summary": prompt.name or prompt.id}
        operation |= {"description": prompt.description} if prompt.description else {}
        operation["parameters"] = [DRY, FORMAT, PREFER]
        asking(operation, prompt, "POST", given=())
        operation["responses"]["202"] = TAKEN_ON
        self.add(f"/prompts/{prompt.id}", "POST", operation)
        for method in ("POST", "GET"):
            self.stream(prompt, method)

    def stream(self, prompt: Described, method: str) -> None:
        name = f"prompt.{prompt.id}.stream" + ("" if method == "POST" else ".get")
        operation = self.operation(name, "prompts", prompt.endpoint)
        operation |= {"summary": f"{prompt.name or prompt.id}, as a stream of events"}
        operation["parameters"] = [*STREAMING]
        asking(operation, prompt, method, given=() if method in WITH_BODY else STREAM_FIELDS)
        operation["responses"] |= {"200": EVENTS, "406": refused(406)}
        self.add(f"/prompts/{prompt.id}/stream", method, operation)

    def operation(self, name: str, tag: str, endpoint: Endpoint) -> Json:
        told = {"description": endpoint.description} if endpoint.description else {}
        return {
            "operationId": self.unique(name),
            "tags": [tag],
            **told,
            "security": security(endpoint),
            "responses": responses(endpoint),
        }

    def unique(self, name: str) -> str:
        found, count = name, 1
        while found in self.names:
            count += 1
            found = f"{name}.{count}"
        self.names.add(found)
        return found

    def add(self, path: str, method: str, operation: Json) -> None:
        operation["responses"] = dict(sorted(operation["responses"].items()))
        self.paths.setdefault(path, {}).setdefault(method.lower(), operation)


def templated(path: str, names: Iterable[str]) -> str:
    """Parameters in braces; paths of one shape are one path, so they share the names of the first."""
    given = iter(names)
    return "/" + "/".join(f"{{{next(given)}}}" if part[0] == ":" else part for part in segments(path))


def asking(operation: Json, prompt: Described, method: str, *, given: Iterable[str]) -> None:
    """What a prompt is asked with: a body, or a query where there is none; what is ``given`` otherwise is left out."""
    taken = set(given)
    schema = tidy(json_schema(one for one in prompt.parameters if one.name not in taken))
    if method in WITH_BODY:
        operation["requestBody"] = json_body(schema, required="required" in schema)
    else:
        needed = schema.get("required", ())
        operation.setdefault("parameters", []).extend(
            query_parameter(name, one, required=name in needed) for name, one in schema["properties"].items()
        )
    operation["responses"] |= {"200": ANSWER, "422": refused(422)}


def query_parameter(name: str, schema: Json, *, required: bool) -> Json:
    """Lists and objects are written as JSON."""
    made: Json = {"name": name, "in": "query", "required": required}
    if schema.get("type") in ("array", "object", None):
        return made | {"content": {"application/json": {"schema": schema}}}
    return made | {"schema": schema}


def path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def security(endpoint: Endpoint) -> list[Json]:
    own = any(one.asks_for_token for one in endpoint.interceptors)
    if endpoint.auth == "public":
        return [{"token": []}] if own else []
    return [{"key": []}, {"token": []}] if own else KEY


def responses(endpoint: Endpoint) -> Json:
    """The refusals of the platform and of what wraps the calls."""
    found = set(ALWAYS)
    found |= {401, 403} if security(endpoint) else {429}
    for one in endpoint.interceptors:
        if one.kind == "rateLimit":
            found.add(429)
        elif one.kind == "auth":
            found |= {401, 403}
        elif one.kind == "filter":
            found.add(int(one.options.get("status", 422)))
    return {str(status): refused(status) for status in sorted(found)}


ANSWER: Json = {"$ref": "#/components/responses/PromptAnswer"}
EVENTS: Json = {"$ref": "#/components/responses/PromptEvents"}
ANYTHING: Json = {"$ref": "#/components/responses/Anything"}
TAKEN_ON: Json = {"$ref": "#/components/responses/TakenOn"}
PREFER: Json = {"$ref": "#/components/parameters/Prefer"}
FORMAT: Json = {"$ref": "#/components/parameters/Format"}
DRY: Json = {"$ref": "#/components/parameters/Dry"}
