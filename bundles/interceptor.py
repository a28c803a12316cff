"""`interceptors:` of an api, an endpoint or a prompt: a list of names, or of names with options; pure."""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Map
from dataclasses import dataclass, field
from typing import Any

from bundles import cel, fields, names, target
from bundles.fields import Read
from bundles.interceptorkinds import ALIASES, KINDS, REQUEST_ROOTS, RESPONSE_ROOTS, Kind
from bundles.target import Target
from bundles.values import Mapping, Node, Place, Report, Scalar, Sequence, shown

MOST = 30  # in one list
MAX_WORK = 100_000  # characters of the expressions of one list
MAX_TTL_MS = 86_400_000
HINT = "write - rateLimit: {maxRequests: 100, windowMs: 60000}, or - compression"
OWN = "wasm:"
SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class Interceptor:
    """One interceptor; `options` by the names of the table of its kind, expressions as text."""

    kind: str
    options: Map[str, Any]
    place: Place
    scope: str = "endpoint"  # or api, or prompt
    target: Target | None = None
    off: bool = False  # written as false: what the api has of this kind does not apply

    @property
    def name(self) -> str:
        return str(self.target) if self.target else self.kind

    @property
    def asks_for_token(self) -> bool:
        """Whether it lets callers in by tokens that are not the tenant's keys."""
        return self.kind == "auth" and bool(self.options.get("secret") or self.options.get("token"))


Interceptors = tuple[Interceptor, ...]


def read(node: Node | None, report: Report, *, scope: str) -> Interceptors:
    """The interceptors in the order they are written; what cannot be understood is an error, never left out silently."""
    reader = _Reader(report, scope)
    found = [one for name, value, place in _entries(node, report) if (one := reader.one(name, value, place))]
    return tuple(found)


def combined(outer: Interceptors, inner: Interceptors) -> Interceptors:
    """Those of an api around those of an endpoint, in the documented order."""
    own = {one.kind for one in inner}
    kept = [one for one in outer if not (KINDS[one.kind].single and one.kind in own)]
    return tuple(sorted((one for one in [*kept, *inner] if not one.off), key=rank))


def rank(one: Interceptor) -> int:
    return KINDS[one.kind].rank


def check_access(found: Interceptors, auth: str, report: Report) -> None:
    """Tokens that need not be there would open what only keys may open."""
    for one in found:
        if one.asks_for_token and one.options.get("required") is False and auth != "public":
            message = "'auth' does not require a token here, but the endpoint answers to keys only"
            report.error(one.place, message, "write auth: public at the endpoint, or required: true")


def secrets(found: Iterable[Interceptor]) -> set[str]:
    """Names of the secrets that are needed."""
    return {one.options[name] for one in found for name in ("secret", "token") if one.options.get(name)}


Entry = tuple[str, Node | None, Place]


def _entries(node: Node | None, report: Report) -> list[Entry]:
    """Names with what stands behind them; a mapping means the same as a list of its entries."""
    if node is None or (isinstance(node, Scalar) and node.kind == "null"):
        return []
    if isinstance(node, Mapping):
        return _of_mapping(node)
    if not isinstance(node, Sequence):
        report.error(node.place, f"'interceptors' must be a list, but here is {fields.describe(node)}", HINT)
        return []
    if len(node.items) > MOST:
        report.error(node.items[MOST].place, f"there may be {MOST} interceptors in one list")
    return [entry for item in node.items[:MOST] for entry in _of_item(item, report)]


def _of_mapping(node: Mapping) -> list[Entry]:
    return [(name, value, node.keys[name]) for name, value in list(node.entries.items())[:MOST]]


def _of_item(item: Node, report: Report) -> list[Entry]:
    if isinstance(item, Scalar) and item.kind == "str":
        return [(item.text, None, item.place)]
    if isinstance(item, Mapping) and len(item.entries) == 1:
        return _of_mapping(item)
    if isinstance(item, Mapping) and item.entries:
        second = list(item.keys.values())[1]
        report.error(second, "an entry of 'interceptors' has one name; its options stand below it", HINT)
    else:
        report.error(item.place, f"{fields.describe(item)} is not an interceptor", HINT)
    return []


@dataclass(slots=True)
class _Reader:
    """Reads one list."""

    report: Report
    scope: str
    work: int = 0
    seen: dict[str, Place] = field(default_factory=dict)

    def one(self, name: str, value: Node | None, place: Place) -> Interceptor | None:
        own = self.own(name, place) if name.startswith(OWN) else None
        kind = KINDS.get("wasm" if own else ALIASES.get(name, name))
        if kind is None or (kind.name == "wasm" and own is None):
            if not name.startswith(OWN):
                self.unknown(name, place)
            return None
        off = isinstance(value, Scalar) and value.value is False and kind.name != "filter"
        if not self.once(kind, place) or (off and not self.may_be_off(kind, place)):
            return None
        options = {} if off else self.options(kind, value, place)
        return None if options is None else Interceptor(kind.name, options, place, self.scope, own, off)

    def unknown(self, name: str, place: Place) -> None:
        known = [kind for kind in KINDS if kind != "wasm"]
        meant = names.did_you_mean(name.replace("_", "").replace("-", ""), [*known, *ALIASES])
        message = f"there is no interceptor {shown(name)}{meant}"
        self.report.error(place, message, f"there are {', '.join(known)}, and wasm:MODULE:FUNCTION")

    def own(self, name: str, place: Place) -> Target | None:
        try:
            return target.parse(name)
        except target.TargetError as wrong:
            self.report.error(place, f"{shown(name)}: {wrong}")
            return None

    def once(self, kind: Kind, place: Place) -> bool:
        first = self.seen.setdefault(kind.name, place) if kind.single else place
        if first is not place:
            self.report.error(place, f"'{kind.name}' is here twice, first on line {first.line}")
        return first is place

    def may_be_off(self, kind: Kind, place: Place) -> bool:
        if not kind.single:
            self.report.error(place, f"'{kind.name}' cannot be switched off by false", "leave it out")
        return kind.single

    def options(self, kind: Kind, value: Node | None, place: Place) -> dict[str, Any] | None:
        """Its options; None when one of them is wrong: half an interceptor protects nobody."""
        before = len(self.report.errors) + self.report.dropped
        node = self.mapping(kind, value, place)
        if node is None:
            return None
        of = f"'{kind.name}'"
        found = fields.read(node, kind.options, self.report, of=of, strict=True)
        self.check(kind, found)
        return None if len(self.report.errors) + self.report.dropped > before else found.values

    def mapping(self, kind: Kind, value: Node | None, place: Place) -> Mapping | None:
        if value is None or (isinstance(value, Scalar) and (value.kind == "null" or value.value is True)):
            return Mapping(place, {}, {})
        if isinstance(value, Mapping):
            return value
        if kind.short and isinstance(value, Scalar):
            return Mapping(place, {kind.short: value}, {kind.short: value.place})
        message = f"the options of '{kind.name}' must be a mapping, but here is {fields.describe(value)}"
        self.report.error(value.place, message, "there are " + ", ".join(kind.options))
        return None

    def check(self, kind: Kind, found: Read) -> None:
        """What the table of options cannot say."""
        for name in [name for name, one in kind.options.items() if one.type == "node"]:
            if name in found.values:
                roots = RESPONSE_ROOTS if name == "response" else REQUEST_ROOTS
                found.values[name] = self.expression(name, found.values[name], roots)
        if kind.name in CHECKS:
            for at, message, hint in CHECKS[kind.name](found):
                self.report.error(found.at(at), message, hint)

    def expression(self, what: str, node: Node, roots: Map[str, str]) -> str:
        if not isinstance(node, Scalar) or node.kind == "date":
            self.report.error(node.place, f"'{what}' must be an expression")
            return ""
        text = node.text.lower() if node.kind == "bool" else node.text
        self.work += len(text) + 20
        if self.work > MAX_WORK:
            self.report.error(node.place, f"these interceptors have more than {MAX_WORK} characters")
            return ""
        try:
            compiled = cel.compile(text)
        except cel.CelError as wrong:
            self.report.error(node.place, f"'{what}' is not an expression: {wrong}")
            return ""
        for name in sorted(compiled.names - roots.keys()):
            message = f"'{what}': nothing is named {shown(name)} here{self.report.meant(name, roots)}"
            self.report.error(node.place, message, "there are " + ", ".join(roots))
        return text


Complaint = tuple[str, str, str]  # the option, what is wrong, a hint


def _rate(found: Read) -> list[Complaint]:
    both = {"max", "maxRequests"} <= found.values.keys()
    return [("max", "'max' and 'maxRequests' are the same option", "keep one of them")] if both else []


def _cache(found: Read) -> list[Complaint]:
    ttl = found.get("ttl", 1)
    return [("ttl", "'ttl' is from 1ms to 24h", "")] if not 0 < ttl <= MAX_TTL_MS else []


def _transform(found: Read) -> list[Complaint]:
    some = {"request", "response"} & found.places.keys()
    return [] if some else [("", "'transform' needs 'request', 'response' or both", "")]


def _auth(found: Read) -> list[Complaint]:
    signed, fixed = "secret" in found.places, "token" in found.places
    wrong: list[Complaint] = []
    if signed and fixed:
        wrong.append(("token", "'auth' takes either 'secret' (signed tokens) or 'token' (a fixed one)", ""))
    if signed and "algorithm" not in found.places:
        wrong.append(("secret", "'auth' with 'secret' needs 'algorithm'", "HS256 or RS256"))
    for name in ("algorithm", "audience", "issuer"):
        if name in found.places and not signed:
            wrong.append((name, f"'{name}' needs 'secret', the name of the signing key", ""))
    for name in ("secret", "token"):
        if name in found.values and not SECRET.fullmatch(found.values[name]):
            wrong.append((name, f"{shown(found.values[name])} cannot name a secret", "not the key itself"))
    return wrong


CHECKS = {"rateLimit": _rate, "cache": _cache, "transform": _transform, "auth": _auth}
