"""A tenant's API for people: the same document that tools read, as rows of a page."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings

from bundles import openapi
from bundles.definitions import definition as definition_of
from bundles.models import Bundle, Revision, Status
from bundles.routes import routes_of
from runtime import prompts

Json = dict[str, Any]
ACCESS = {"key": "key", "token": "token of the service"}
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter, or a field of a body."""

    name: str
    place: str  # path, query, header or body
    kind: str
    required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One operation."""

    method: str
    path: str
    text: str
    access: str
    values: tuple[Value, ...]
    answers: tuple[tuple[str, str], ...]  # status and what it means
    curl: str


@dataclass(slots=True)
class Section:
    """The operations of one service, or the prompts."""

    name: str
    text: str
    rows: list[Row] = field(default_factory=list)


def document(tenant_id: UUID, slug: str) -> Json:
    """Of what runs at present; blocking."""
    routes, known = [], {}
    running = Bundle.objects.filter(tenant_id=tenant_id, live_revision__isnull=False).exclude(
        status=Status.STOPPED
    )
    for bundle in sorted(running, key=lambda one: str(one.pk), reverse=True):
        revision = Revision.objects.filter(bundle=bundle, number=bundle.live_revision or 0).first()
        if revision is None:
            continue
        definition = definition_of(revision)
        routes += [route for service in definition.services for route in routes_of(service)]
        ready = prompts.ready(revision, definition, None)
        known.update({name: one for name, one in ready.items() if not one.fault})
    server = f"{settings.BASE_URL}/{slug}"
    return openapi.document(slug, server, routes=routes, prompts=known.values())


def sections(told: Json) -> list[Section]:
    """In the order of the document, which is that of the names."""
    found = {one["name"]: Section(one["name"], one.get("description", "")) for one in told["tags"]}
    server = told["servers"][0]["url"]
    every = [(path, verb, one) for path, verbs in told["paths"].items() for verb, one in verbs.items()]
    for path, verb, operation in every[:MOST_ROWS]:
        found[operation["tags"][0]].rows.append(row(told, server, path, (verb.upper(), operation)))
    return [section for section in found.values() if section.rows]


def row(told: Json, server: str, path: str, one: tuple[str, Json]) -> Row:
    method, operation = one
    says = [operation.get("summary", ""), operation.get("description", "")]
    schemes = [name for entry in operation["security"] for name in entry]
    values = tuple(values_of(told, operation))
    return Row(
        method,
        path,
        ": ".join(text for text in says if text),
        " or ".join(ACCESS[name] for name in schemes) or "public",
        values,
        tuple((status, meaning(told, one)) for status, one in operation["responses"].items()),
        curl(server + path, method, operation, schemes),
    )


def resolved(told: Json, part: Json) -> Json:
    """What a reference means."""
    name = part.get("$ref")
    if name is None:
        return part
    found: Any = told
    for step in name.removeprefix("#/").split("/"):
        found = found[step]
    return resolved(told, found)


def meaning(told: Json, part: Json) -> str:
    """Its description, without the marks of Markdown."""
    return str(resolved(told, part).get("description", "")).replace("`", "")


def values_of(told: Json, operation: Json) -> Iterator[Value]:
    for one in operation.get("parameters", ()):
        known = resolved(told, one)
        schema = schema_of(known)
        text = meaning(told, one) or described(schema)
        yield Value(known["name"], known["in"], kind_of(schema), known.get("required", False), text)
    schema = body_of(operation)
    for name, one in schema.get("properties", {}).items():
        yield Value(name, "body", kind_of(one), name in schema.get("required", ()), described(one))


def schema_of(parameter: Json) -> Json:
    """Lists and objects in a query are written as JSON, and described as such."""
    schema: Json = parameter["schema"] if "schema" in parameter else json_of(parameter)
    return schema


def body_of(operation: Json) -> Json:
    return json_of(operation.get("requestBody", {}))


def json_of(part: Json) -> Json:
    schema: Json = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def kind_of(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "any")
    items = schema.get("items")
    return f"{kind} of {kind_of(items)}" if kind == "array" and isinstance(items, dict) else str(kind)


NAMES = {
    "enum": "one of", "default": "default", "minimum": "at least", "maximum": "at most",
    "minLength": "characters at least", "maxLength": "characters at most", "pattern": "pattern",
    "minItems": "elements at least", "maxItems": "elements at most",
}  # fmt: skip


def described(schema: Mapping[str, Any]) -> str:
    says = [schema["description"]] if schema.get("description") else []
    says += [f"{word} {written(schema[key])}" for key, word in NAMES.items() if key in schema]
    return "; ".join(says)


def written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(written(one) for one in value)[:300]
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)[:300]


def curl(url: str, method: str, operation: Json, schemes: list[str]) -> str:
    """A command for a shell; what is needed stands in it."""
    parts = [f"curl {'' if method == 'GET' else f'-X {method} '}{shlex.quote(url)}"]
    parts += ['-H "Authorization: Bearer $KEY"'] if schemes else []
    if "requestBody" in operation:
        body = json.dumps(example(body_of(operation)), ensure_ascii=False, default=str)
        parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(body)}"]
    return " \\\n  ".join(parts)


SAMPLES = {"string": "…", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


def example(schema: Json) -> Json:
    """The fields that have to be there, with an example, a default or a sample."""
    made = {}
    for name in schema.get("required", ()):
        one = schema["properties"][name]
        options = [*one.get("examples", ()), *one.get("enum", ()), SAMPLES.get(one.get("type", ""))]
        made[name] = options[0]
    return made
