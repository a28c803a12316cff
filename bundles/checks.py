"""Declared tests of a bundle: `tests/*.yaml` says what is sent or fired, and what is expected then."""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from typing import Any, Literal

from bundles import fields, names, values
from bundles.endpoints import METHODS
from bundles.fields import Field, Read, Unique
from bundles.service import Service
from bundles.values import Mapping, Node, Place, Problem, Report, Sequence, plain, shown

FILE = re.compile(r"tests/[^/]+\.ya?ml")
CONTRACTS = ("grant", "wait", "refuse")
MAX_CHECKS = 500
UNSET: Any = object()  # "no body was sent" and "any body will do" are not null

FILE_FIELDS = fields.table(Field("tests", "list", "The tests of this file", required=True))
CHECK_FIELDS = fields.table(
    Field("name", "name", "Name of the test, unique in its file", required=True),
    Field("description", "text", "What this test shows"),
    Field("request", "map", "The request that is sent: method, path, body, headers, query"),
    Field("sensor", "name", "The sensor that is fired instead of a request"),
    Field("payload", "any", "What the sensor carries"),
    Field(
        "contract", "choice", "What the market answers: grant (default), wait or refuse", choices=CONTRACTS
    ),
    Field("expect", "map", "What must come back: status, body, writes", required=True),
)
REQUEST_FIELDS = fields.table(
    Field("method", "string", "GET (default), POST, PUT, DELETE or PATCH"),
    Field("path", "string", 'Path after the tenant, for example "/api/v1/catalog/products"', required=True),
    Field("body", "any", "The body, sent as JSON"),
    Field("headers", "map", "Headers by name"),
    Field("query", "map", "Query values by name"),
)
EXPECT_FIELDS = fields.table(
    Field("status", "integer", "The HTTP status; for a sensor 200 = its intents succeed", low=100, high=599),
    Field("body", "any", "What the answer must contain: named keys with these values, others do not matter"),
    Field("writes", "any", "State that must be written: values by key (null = deleted), or how many writes"),
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a check sends."""

    method: str
    path: str
    body: Any = UNSET
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """What must come of it; what is unset or None is not looked at."""

    status: int | None = None
    body: Any = UNSET
    writes: Map[str, Any] | int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One declared test: either `request` or `sensor` is set."""

    name: str
    file: str
    line: int
    expect: Expect
    request: Request | None = None
    sensor: str = ""
    payload: Any = None
    contract: Literal["grant", "wait", "refuse"] = "grant"
    description: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """All declared tests that can be run, and what is wrong with the others."""

    checks: tuple[Check, ...]
    problems: tuple[Problem, ...]


def read(files: Map[str, bytes], services: Iterable[Service] = ()) -> Checks:
    """The declared tests in these files. A bad test never stops a bundle: all its problems are warnings."""
    report = Report()
    paths = [path for path in sorted(files) if FILE.fullmatch(path)]
    found = [check for path in paths for check in _file(path, files[path], report)]
    known = {intent.when_sensor for service in services for intent in service.intents}
    for check in found:
        if known and check.sensor and check.sensor not in known:
            meant = names.did_you_mean(check.sensor, known)
            place = Place(check.file, check.line, 1)
            report.warning(place, f"no intent waits for the sensor {shown(check.sensor)}{meant}")
    mild = tuple(replace(problem, severity="warning") for problem in report.problems())
    return Checks(tuple(found[:MAX_CHECKS]), mild)


def _file(path: str, data: bytes, report: Report) -> list[Check]:
    document = values.parse(data, file=path)
    report.extend(document.problems)
    unique = Unique("test", report)
    checks = [check for node in _items(document.root, report) if (check := _check(node, report))]
    return [check for check in checks if unique.take(check.name, Place(path, check.line, 1))]


def _items(root: Node | None, report: Report) -> list[Node]:
    """A file is a list of tests, or a mapping with `tests`."""
    if root is None:
        return []
    if isinstance(root, Sequence):
        return root.items
    node = fields.mapping(root, report, of="a file of tests")
    return fields.read(node, FILE_FIELDS, report, of="a file of tests").items("tests") if node else []


def _check(node: Node, report: Report) -> Check | None:
    item = fields.mapping(node, report, of="a test")
    found = fields.read(item, CHECK_FIELDS, report, of="a test") if item else None
    if found is None or not {"name", "expect"} <= found.values.keys():
        return None
    if ("request" in found.values) == ("sensor" in found.values):
        report.error(found.place, "a test needs either 'request' or 'sensor'")
        return None
    request = _request(found.get("request"), report) if "request" in found.values else None
    if request is None and "request" in found.values:
        return None
    return Check(
        name=found.get("name"),
        file=node.place.file,
        line=node.place.line,
        expect=_expect(found.get("expect"), report),
        request=request,
        sensor=found.get("sensor", ""),
        payload=found.get("payload"),
        contract=found.get("contract", "grant"),
        description=found.get("description", ""),
    )


def _request(node: Mapping, report: Report) -> Request | None:
    found = fields.read(node, REQUEST_FIELDS, report, of="a request")
    method, path = found.get("method", "GET"), found.get("path")
    if method.upper() not in METHODS:
        report.error(found.at("method"), f"'method' is {shown(method)}, not one of {', '.join(METHODS)}")
        return None
    if path is None or not path.startswith("/"):
        report.error(found.at("path"), "'path' begins with /, after the tenant")
        return None
    body = plain(node.entries["body"]) if "body" in node.entries else UNSET
    return Request(method.upper(), path, body, _texts(found, "headers"), _texts(found, "query"))


def _texts(found: Read, name: str) -> tuple[tuple[str, str], ...]:
    node = found.get(name)
    return tuple((key, _text(plain(value))) for key, value in node.entries.items()) if node else ()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expect(node: Mapping, report: Report) -> Expect:
    found = fields.read(node, EXPECT_FIELDS, report, of="expect")
    writes = found.get("writes")
    if writes is not None and (isinstance(writes, bool) or not isinstance(writes, dict | int)):
        report.error(found.at("writes"), "'writes' is a mapping of keys to values, or a number")
        writes = None
    body = plain(node.entries["body"]) if "body" in node.entries else UNSET
    return Expect(found.get("status"), body, writes)
