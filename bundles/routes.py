"""The routes of one tenant, compiled once: static segments beat parameters, a trailing slash does not matter.

`path` is always the raw request path after the tenant, as it came over the wire: still percent-encoded, no
query. It is matched in its canonical form only: `//`, `/./`, `/../` and encodings of them match nothing.
Only the values of parameters are decoded, here and once; the caller decodes nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from bundles.endpoints import Endpoint
from bundles.paths import segments
from bundles.service import Service

ORDER = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH")


class Match(NamedTuple):
    """Where a request goes; `params` are percent-decoded, `owner` is what was given with the service."""

    endpoint: Endpoint
    params: dict[str, str]
    service: Service
    owner: Any


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint under its full path."""

    method: str
    path: str
    service: Service
    endpoint: Endpoint
    owner: Any = None

    @property
    def parts(self) -> tuple[str, ...]:
        return segments(self.path)


class Conflict(NamedTuple):
    """Two routes that claim the same requests."""

    first: Route
    second: Route


Pick = Callable[[list[str]], Any]


class _Pattern(NamedTuple):
    """All routes of one method and length with parameters at the same positions."""

    pick: Pick  # the static segments of a path, as the key of `routes`
    routes: dict[Any, tuple[Route, tuple[tuple[str, int], ...]]]


def shape(path: str) -> str:
    """The path with its parameters made alike: two routes of one shape claim the same requests."""
    return "/" + "/".join(":" if part[0] == ":" else part for part in segments(path))


def routes_of(service: Service, owner: Any = None) -> list[Route]:
    """The routes of a service; the owner (a running bundle, say) comes back with every match."""
    return [Route(one.method, service.base_path + one.path, service, one, owner) for one in service.endpoints]


def conflicts(routes: Iterable[Route]) -> list[Conflict]:
    """Every route that another one claimed before it."""
    seen: dict[tuple[str, str], Route] = {}
    pairs = ((route, seen.setdefault((route.method, shape(route.path)), route)) for route in routes)
    return [Conflict(first, route) for route, first in pairs if first is not route]


class RouteTable:
    """Answers which endpoint a request means; of two routes of one shape the first wins (see `conflicts`)."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._static: dict[tuple[str, str], Route] = {}
        self._patterns: dict[tuple[str, int], list[_Pattern]] = {}
        self.routes = tuple(routes)
        dynamic: dict[tuple[str, int], dict[tuple[int, ...], list[Route]]] = {}
        for route in self.routes:
            parts = route.parts
            at = tuple(n for n, part in enumerate(parts) if part[0] == ":")
            if at:
                dynamic.setdefault((route.method, len(parts)), {}).setdefault(at, []).append(route)
                continue
            path = "/" + "/".join(parts)
            self._static.setdefault((route.method, path), route)
            self._static.setdefault((route.method, path.rstrip("/") + "/"), route)
            if not parts:
                self._static.setdefault((route.method, ""), route)
        for (method, count), groups in dynamic.items():
            order = sorted(groups, key=lambda at: _precedence(at, count))
            self._patterns[method, count] = [_pattern(at, groups[at], count=count) for at in order]

    @classmethod
    def of(cls, services: Iterable[Service]) -> "RouteTable":
        """A table of services that have no owner to tell apart."""
        return cls([route for service in services for route in routes_of(service)])

    def match(self, method: str, path: str) -> Match | None:
        """The endpoint for a method and a raw path; HEAD is answered by GET."""
        if method == "HEAD":
            method = "GET"
        route = self._static.get((method, path))
        if route is not None:
            return Match(route.endpoint, {}, route.service, route.owner)
        parts = path.split("/")
        if parts[-1] == "":
            parts.pop()
        patterns = self._patterns.get((method, len(parts) - 1))
        if patterns is None or parts[0]:
            return None
        for pick, routes in patterns:
            found = routes.get(pick(parts))
            if found is not None:
                return _bound(found[0], found[1], parts)
        return None

    def allowed(self, path: str) -> tuple[str, ...]:
        """The methods that answer at a path, for `Allow`, OPTIONS and 405; empty = there is no such path."""
        return tuple(method for method in ORDER if self.match(method, path) is not None)

    def __iter__(self) -> Iterator[Route]:
        return iter(self.routes)


def _precedence(at: tuple[int, ...], count: int) -> tuple[bool, ...]:
    """Sorts a static segment before a parameter, the leftmost difference deciding."""
    return tuple(n in at for n in range(count))


def _pattern(at: tuple[int, ...], routes: list[Route], *, count: int) -> _Pattern:
    # Positions count from 1: the split path begins with an empty part before the first slash.
    static = [n + 1 for n in range(count) if n not in at]
    pick: Pick = itemgetter(*static) if static else _nothing
    table: dict[Any, tuple[Route, tuple[tuple[str, int], ...]]] = {}
    for route in routes:
        parts = ["", *route.parts]
        table.setdefault(pick(parts), (route, tuple((parts[n + 1][1:], n + 1) for n in at)))
    return _Pattern(pick, table)


def _nothing(parts: list[str]) -> Any:
    return None


def _bound(route: Route, names: tuple[tuple[str, int], ...], parts: list[str]) -> Match | None:
    params: dict[str, str] = {}
    for name, position in names:
        value = parts[position]
        if not value.isalnum() or not value.isascii():
            decoded = _decoded(value)
            if decoded is None:
                return None
            value = decoded
        params[name] = value
    return Match(route.endpoint, params, route.service, route.owner)


def _decoded(value: str) -> str | None:
    """A parameter's text; None for what could be read in two ways: empty, dots, slashes, controls."""
    if not value.isascii():
        return None
    if "%" in value:
        try:
            raw = unquote_to_bytes(value)
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return None
        if value.count("%") != _escapes(value):
            return None
    else:
        text = value
    if text in ("", ".", "..") or "/" in text or "\\" in text:
        return None
    return text if min(text) >= " " and "\x7f" not in text else None


def _escapes(value: str) -> int:
    """How many of the percent signs begin a proper escape."""
    parts = value.split("%")[1:]
    return sum(len(part) >= 2 and all(c in "0123456789abcdefABCDEF" for c in part[:2]) for part in parts)
