"""The `http` node: one request through the egress guard; the answer becomes {status, headers, body}."""

import base64
import binascii
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson

from billing.egress import EgressFailed, EgressRefused, Permit, Response, afetch
from bundles import duration
from runtime.flowframe import CROWDED, crowded
from runtime.flowneeds import Context, Failure, Need
from runtime.llm import hidden
from runtime.retryafter import retry_after

TIMEOUT_S = 30.0
LONGEST_S = 600.0
MAX_BYTES = 4 * 1024 * 1024  # of a request's body, and of an answer
SHOWN = 200  # characters of an answer that was not expected
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
REFERENCE = re.compile(r"\bsecret\b\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*)|\[\s*[\"']([^\"']{1,100})[\"']\s*\])?")
SHORTEST = 4  # bytes of a secret that is looked for in what is sent
GOOD = ("2xx",)


class Unfit(ValueError):
    """The options do not make a request."""


async def perform(need: Need, context: Context) -> bytes | Failure:
    """The answer when its status is expected; else, and when there is none, a failure."""
    options = need.options
    try:
        method = str(options.get("method") or "GET").upper()
        url = address(options)
        headers = sent(options.get("headers"))
        content = body(options.get("body"), headers)
        if method not in SAFE and "idempotency-key" not in headers:
            headers["idempotency-key"] = context.idempotency_key(need)
        answer = await afetch(
            method,
            url,
            headers=headers,
            content=content,
            timeout=patience(options.get("timeout"), context.deadline),
            max_bytes=MAX_BYTES,
            tenant=context.bundle.tenant_id,
            permit=guard(need, context, (url.encode(), *values(headers), content))
            if context.bundle.bound
            else None,
        )
    except Unfit as wrong:
        return Failure("validation", f"http: {wrong}")
    except EgressRefused as refused:
        return Failure("egress", str(refused))
    except EgressFailed as failed:
        return Failure("timeout" if "too long" in failed.reason else "handler", str(failed), retryable=True)
    if crowded(answer.body):
        return Failure("budget", CROWDED)
    if expected(answer.status, options.get("expect") or GOOD):
        return read(answer)
    return unexpected(answer, context)


def address(options: Mapping[str, Any]) -> str:
    """The URL with the parameters of `query` behind its own."""
    url = options.get("url")
    if not isinstance(url, str) or not url:
        raise Unfit("the url is no text")
    query = options.get("query")
    if not query:
        return url
    if not isinstance(query, Mapping):
        raise Unfit("the query is no mapping")
    pairs = [(name, plain(one)) for name, given in query.items() for one in listed(given)]
    if not pairs:
        return url
    bare, _, _ = url.partition("#")
    return f"{bare}{'&' if '?' in bare else '?'}{urlencode(pairs, errors='replace')}"


def listed(given: Any) -> list[Any]:
    """The values of one parameter: none for null, each of a list."""
    return [one for one in (given if isinstance(given, list) else [given]) if one is not None]


def plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        raise Unfit("a value cannot be written as JSON") from None


def sent(given: Any) -> dict[str, str]:
    """The headers by name in lower case; null leaves one out."""
    if not given:
        return {}
    if not isinstance(given, Mapping):
        raise Unfit("the headers are no mapping")
    return {str(name).lower(): plain(value) for name, value in given.items() if value is not None}


def values(headers: Mapping[str, str]) -> Iterator[bytes]:
    return (value.encode("utf-8", "replace") for value in headers.values())


def body(value: Any, headers: dict[str, str]) -> bytes:
    """Text as it is, {"base64": …} as bytes, everything else as JSON; the content type follows unless it is given."""
    if value is None:
        return b""
    if isinstance(value, str):
        kind, content = "text/plain; charset=utf-8", value.encode("utf-8", "replace")
    elif isinstance(value, Mapping) and set(value) == {"base64"}:
        kind, content = "application/octet-stream", unpacked(value["base64"])
    else:
        kind, content = "application/json", plain(value).encode()
    if len(content) > MAX_BYTES:
        raise Unfit(f"the body has more than {MAX_BYTES} bytes")
    headers.setdefault("content-type", kind)
    return content


def unpacked(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        raise Unfit("the body is not base64") from None


def patience(given: Any, deadline: float) -> float:
    """Seconds that the answer may take; no longer than the run."""
    if isinstance(given, str):
        try:
            given = duration.parse(given) / 1000
        except duration.DurationError as wrong:
            raise Unfit(f"the timeout is {wrong}") from None
    seconds = float(given) if isinstance(given, int | float) and given > 0 else TIMEOUT_S
    return min(seconds, LONGEST_S, deadline - time.monotonic())


# -- secrets ----------------------------------------------------------------------------------------


def guard(need: Need, context: Context, parts: tuple[bytes, ...]) -> Permit:
    """EgressRefused, at every hop, unless each secret that the node names or that is in the request may go there."""
    named, any_of_them = references(need.listener.options)
    travelling = [
        (name, secret)
        for name, secret in context.bundle.bound.items()
        if any_of_them
        or name in named
        or (len(secret.value) >= SHORTEST and any(secret.value in part for part in parts))
    ]

    def permit(url: str) -> None:
        host = urlsplit(url).hostname or ""
        for name, secret in travelling:
            if not secret.may_go(host):
                raise EgressRefused(f"the secret “{name}” is not bound to {host}")

    return permit


def references(options: Any) -> tuple[set[str], bool]:
    """Names of secrets in the expressions of a node, and whether one is chosen only when it runs.

    What an expression makes of a secret (encoded, cut) cannot be found again by its value.
    """
    found: set[str] = set()
    chosen = False
    for text in texts(options):
        if "secret" in text and "${" in text:
            for match in REFERENCE.finditer(text):
                name = match[1] or match[2]
                found |= {name} if name else set()
                chosen = chosen or not name
    return found, chosen


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)


# -- the answer -------------------------------------------------------------------------------------


def expected(status: int, among: Any) -> bool:
    """Whether the status is one of `expect`: 200, "200" or "2xx"."""
    for one in among if isinstance(among, list | tuple) else (among,):
        text = str(one).lower()
        if text == str(status) or (text.endswith("xx") and text[:-2] == str(status // 100)):
            return True
    return False


def read(answer: Response) -> bytes:
    return orjson.dumps({"status": answer.status, "headers": answer.headers, "body": content_of(answer)})


def content_of(answer: Response) -> Any:
    """JSON when it says so, or says nothing and is; else text; else {"base64": …}."""
    data = answer.body
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not data:
        return None
    if not kind or kind == "application/json" or kind.endswith("+json"):
        try:
            orjson.loads(data)
            return orjson.Fragment(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def unexpected(answer: Response, context: Context) -> Failure:
    host = urlsplit(answer.url).hostname or "the server"
    said = "".join(
        one if one.isprintable() else " " for one in answer.body[: 4 * SHOWN].decode("utf-8", "replace")
    )
    shown = hidden(context, said)[:SHOWN].strip()
    return Failure(
        "status",
        f"{host} answered {answer.status}" + (f": {shown}" if shown else ""),
        retryable=answer.status in AGAIN,
        retry_after_s=retry_after(answer.headers) if answer.status in AGAIN else None,
    )
