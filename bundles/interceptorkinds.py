"""The kinds of interceptors: their options as data, their documented order, what happens when one fails."""

from collections.abc import Mapping
from dataclasses import dataclass

from bundles.fields import Field, Table, table

LEVELS = ("debug", "info", "warning", "error")
CALLERS = ("caller", "address", "all")
ALGORITHMS = ("HS256", "RS256")
SIDES = ("request", "response")
OPTIONAL = Field("optional", "boolean", "true: when it fails the call goes on without it (default false)")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of interceptor."""

    name: str
    help: str
    options: Table
    rank: int  # the outermost first; those of one rank stay as they are written
    single: bool = False  # an endpoint's own takes the place of its api's
    skipped: bool = False  # when it fails the call goes on without it
    short: str = ""  # the option that a bare value means


def _kinds(*kinds: Kind) -> Mapping[str, Kind]:
    return {kind.name: kind for kind in kinds}


KINDS = _kinds(
    Kind("monitoring", "Measures the calls for the tab Contracts", table(), 0, single=True, skipped=True),
    Kind(
        "logging",
        "Writes a line for each call to the live log",
        table(Field("level", "choice", "Least level that is written (default info)", choices=LEVELS)),
        1,
        single=True,
        skipped=True,
        short="level",
    ),
    Kind(
        "compression",
        "Packs answers with gzip for callers that take it",
        table(
            Field("threshold", "integer", "Bytes from which answers are packed (default 1024)", high=10**8),
            Field("level", "integer", "1 (fast) to 9 (small), default 6", low=1, high=9),
        ),
        2,
        single=True,
        skipped=True,
    ),
    Kind(
        "timeout",
        "Answers 504 when a call takes too long",
        table(
            Field("timeoutMs", "integer", "Milliseconds (default PROMPD_TIMEOUT_MS)", low=10, high=600_000),
        ),
        3,
        single=True,
        short="timeoutMs",
    ),
    Kind(
        "auth",
        "Lets in who proves who it is: the tenant's key, a signed token (JWT) or a fixed token",
        table(
            Field("required", "boolean", "false: callers without any token may pass too (default true)"),
            Field("algorithm", "choice", "How tokens are signed; nothing else passes", choices=ALGORITHMS),
            Field("secret", "string", "Secret with the signing key: shared (HS256) or public, PEM (RS256)"),
            Field("token", "string", "Secret with a fixed token that callers send instead of a signed one"),
            Field("audience", "string", "What aud of a signed token must name"),
            Field("issuer", "string", "What iss of a signed token must be"),
        ),
        4,
        single=True,
    ),
    Kind(
        "rateLimit",
        "Answers 429 to more calls than so many in a span of time, counted over all processes",
        table(
            Field("maxRequests", "integer", "Calls in a window (default PROMPD_RATE_LIMIT_MAX)", low=1),
            Field("max", "integer", "The same as maxRequests", low=1),
            Field(
                "windowMs", "integer", "Milliseconds of a window (default 60000)", low=100, high=86_400_000
            ),
            Field("by", "choice", "Whose calls count together (default caller)", choices=CALLERS),
        ),
        5,
    ),
    Kind(
        "filter",
        "Refuses calls for which an expression is not true",
        table(
            Field("when", "node", "The expression: true lets the call pass", required=True),
            Field("status", "integer", "Status of the refusal (default 422)", low=400, high=499),
            Field("message", "text", "What the caller is told", longest=500),
        ),
        6,
        short="when",
    ),
    Kind(
        "transform",
        "Changes the body of a request before the call, or of an answer after it",
        table(
            Field("request", "node", "Expression for the body that the call gets"),
            Field("response", "node", "Expression for the body that the caller gets"),
            OPTIONAL,
        ),
        6,
        short="request",
    ),
    Kind(
        "wasm",
        "A function of the bundle, named as wasm:MODULE:FUNCTION",
        table(
            Field("on", "choice", "request (default): before the call; response: after it", choices=SIDES),
            OPTIONAL,
        ),
        6,
    ),
    Kind(
        "cache",
        "Keeps answers for a while, in each process by itself; memoize means the same",
        table(
            Field("maxCacheSize", "integer", "Answers that are kept (default 1000)", low=1, high=100_000),
            Field("ttl", "duration", "How long an answer is kept (default 60s, at most 24h)"),
            Field(
                "key", "node", "Expression: calls with the same value share an answer (default: all of it)"
            ),
            Field("shared", "boolean", "true: callers share answers with each other (default false)"),
        ),
        7,
        single=True,
        skipped=True,
    ),
)
ALIASES = {"memoize": "cache"}
# What expressions may begin with, and where.
REQUEST_ROOTS = {
    "request": "method, path, params, query, headers and body",
    "caller": "id, and claims of a signed token",
}
RESPONSE_ROOTS = {**REQUEST_ROOTS, "response": "status, headers and body"}
