"""Which foreign pages may call an API (`cors:` of a service's api); never with credentials."""

from collections.abc import Sequence

from runtime.exchange import BASE, Given, Headers, Pairs

MAX_AGE = "600"


def allowed(rules: Sequence[str], origin: str | None) -> bool:
    return origin is not None and ("*" in rules or origin in rules)


def headers(rules: Sequence[str], origin: str | None) -> Pairs:
    """For an answer: the origin itself when it may read it, otherwise nothing."""
    if not rules or not allowed(rules, origin) or origin is None:
        return []
    who = "*" if "*" in rules else origin
    exposed = ("access-control-expose-headers", "x-execution-id, x-compute-units")
    return [("access-control-allow-origin", who), ("vary", "origin"), exposed]


def preflight(rules: Sequence[str], asked: Headers, methods: Sequence[str]) -> Given:
    """OPTIONS: what may be done here; no function runs."""
    head = [*BASE, ("allow", ", ".join((*methods, "OPTIONS"))), ("content-length", "0")]
    if allowed(rules, asked.get("origin")):
        head += headers(rules, asked.get("origin"))
        head.append(("access-control-allow-methods", ", ".join(methods)))
        head.append(("access-control-allow-headers", "authorization, content-type, prefer, x-request-id"))
        head.append(("access-control-max-age", MAX_AGE))
    return Given(204, head)
