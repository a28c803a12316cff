"""filter and transform: a compiled callable decides on a request, or gives a body in place of another."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

from billing.errors import ApiError
from bundles import cel
from runtime.answer import JSON, Reply
from runtime.interceptors.cells import Cell
from runtime.interceptors.invocation import Invocation, refusal
from runtime.interceptors.link import FAILURES, Link

Reader = Callable[[Any], Any]  # of an invocation, or of an invocation with its answer
BodyOf = Callable[[Any, Reply], Any]
REFUSED = "The request is not accepted by this endpoint."
UNREADABLE = "The request has not the form that this endpoint expects."
BROKEN = "The answer could not be given the form that this endpoint promises."


class Filter(Link):
    """Lets pass what is exactly true; what cannot be decided does not pass."""

    reads = True

    def __init__(self, cell: Cell, decide: Reader, refused: ApiError | None = None) -> None:
        super().__init__(cell)
        self.decide = decide
        self.refused = refused or ApiError(422, REFUSED)

    def before(self, call: Invocation) -> Reply | None:
        try:
            if self.decide(call) is True:
                return None
        except FAILURES:
            pass  # a field that is not there is no reason to let somebody in
        except ApiError as error:  # the body cannot be read
            return refusal(error)
        return refusal(self.refused)


class RequestTransform(Link):
    """The body that the call gets."""

    reads = True

    def __init__(self, cell: Cell, body: Reader, *, optional: bool = False) -> None:
        super().__init__(cell)
        self.body, self.optional = body, optional

    def before(self, call: Invocation) -> Reply | None:
        try:
            body = self.body(call)
        except ApiError as error:
            return refusal(error)
        except FAILURES:
            if self.optional:
                raise
            return refusal(ApiError(422, UNREADABLE))
        (call.parsed or call.request)["body"] = body
        call.changed = True
        return None


class ResponseTransform(Link):
    """The body that the caller gets, of answers that are no failure."""

    reads = True

    def __init__(self, cell: Cell, body: BodyOf, *, optional: bool = False) -> None:
        super().__init__(cell)
        self.body, self.optional = body, optional

    def after(self, call: Invocation, reply: Reply) -> Reply:
        if reply.status >= 400 or call.queued is not None:
            return reply
        try:
            return replace(reply, body=orjson.dumps(self.body(call, reply)), content_type=JSON)
        except FAILURES:
            if self.optional:
                raise
            self.cell[2] += 1
            return refusal(ApiError(502, BROKEN))


@lru_cache(maxsize=2_000)
def compiled(text: str) -> cel.Expression:
    """Those of an api are those of each of its endpoints."""
    return cel.compile(text)


def of_request(text: str) -> Reader:
    """An expression over the request and its caller."""
    run = compiled(text).within

    def read(call: Invocation) -> Any:
        value, call.steps = run(call.scope(), call.steps)
        return value

    return read


def of_response(text: str) -> BodyOf:
    """An expression over the answer too."""
    run = compiled(text).within

    def body(call: Invocation, reply: Reply) -> Any:
        told = {"status": reply.status, "headers": dict(reply.headers or ()), "body": content(reply)}
        value, call.steps = run({**call.scope(), "response": told}, call.steps)
        return value

    return body


def content(reply: Reply) -> Any:
    """JSON as values, text as text, and so what is called JSON and is none."""
    if "json" in reply.content_type:
        try:
            return orjson.loads(reply.body) if reply.body else None
        except orjson.JSONDecodeError:
            pass
    return reply.body.decode("utf-8", "replace")
