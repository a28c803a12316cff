"""A finished call as an answer: the function's reply with our headers, packed for who takes it."""

import gzip
from http import HTTPStatus

from runtime.answer import Reply
from runtime.exchange import BASE, Asked, Given, Pairs
from runtime.job import Job, Outcome
from runtime.wasm import units

GZIP_FROM = 1024
PHRASES = {status.value: status.phrase for status in HTTPStatus}
LINES = {code: f"HTTP/1.1 {code} {PHRASES.get(code, 'Unnamed')}\r\n".encode() for code in range(200, 600)}
BODILESS = (204, 304)


def given(asked: Asked, job: Job, outcome: Outcome, extra: Pairs, *, pack: bool = True) -> Given:
    """HEAD gets the headers alone; nothing is kept by caches unless the function says so."""
    head = [
        *BASE,
        ("x-execution-id", job.id),
        ("x-compute-units", str(units(outcome.fuel))),
        *extra,
        *(market(outcome) if outcome.waited_us or outcome.price else ()),
    ]
    return whole(asked, outcome.reply, head, pack=pack)


def bare(asked: Asked, reply: Reply, extra: Pairs, *, pack: bool = True) -> Given:
    """An answer for which nothing was executed: it is refused, or was kept."""
    return whole(asked, reply, [*BASE, *extra], pack=pack)


def whole(asked: Asked, reply: Reply, head: Pairs, *, pack: bool) -> Given:
    body = reply.body
    head += [("content-type", reply.content_type), *(reply.headers or ())]
    if not reply.headers or not any(name == "cache-control" for name, _ in reply.headers):
        head.append(("cache-control", "no-store"))
    if pack and len(body) >= GZIP_FROM and takes_gzip(asked) and textual(reply.content_type):
        body = gzip.compress(body, 5)
        head += [("content-encoding", "gzip"), ("vary", "accept-encoding")]
    head.append(("content-length", str(len(body))))
    return Given(reply.status, head, b"" if asked.method == "HEAD" else body)


def market(outcome: Outcome) -> Pairs:
    """What a caller who had to wait is told of the market."""
    told = [
        ("x-queue-wait", f"{outcome.waited_us / 1e6:.3f}"),
        ("x-market-price", str(outcome.price)),
        ("x-credits-spent", str(outcome.spent)),
    ]
    if outcome.round is not None:
        told.append(("x-market-round", str(outcome.round)))
    return [*told, ("x-degraded", "1")] if outcome.degraded else told


def takes_gzip(asked: Asked) -> bool:
    return "gzip" in asked.headers.get("accept-encoding", "")


def textual(kind: str) -> bool:
    return kind.startswith("text/") or "json" in kind or "xml" in kind or "javascript" in kind


def packed(given: Given, date: bytes, *, close: bool) -> bytes:
    """An answer as bytes of HTTP/1.1; ValueError when a header would split it."""
    pairs = given.headers
    if given.status in BODILESS:
        pairs = [pair for pair in pairs if pair[0] != "content-length"]
    head = "".join([f"{name}: {value}\r\n" for name, value in pairs])
    if not head.count("\n") == head.count("\r") == len(pairs):
        raise ValueError("a header holds a line break")
    end = "connection: close\r\n\r\n" if close else "\r\n"
    rest = (head + end).encode("latin-1", "replace")
    return LINES[given.status] + date + rest + given.body
