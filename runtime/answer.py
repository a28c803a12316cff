"""From the guest's JSON to an HTTP answer (WASM.md, ATTACKS A064): any JSON is a 200, `status` makes it a full answer."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

import orjson

JSON = "application/json"
ALLOWED = frozenset(
    [
        "cache-control",
        "content-disposition",
        "content-language",
        "content-type",
        "etag",
        "expires",
        "last-modified",
        "link",
        "location",
        "retry-after",
        "vary",
    ]
)
OURS = frozenset(
    {"x-execution-id", "x-compute-units", "x-frame-options", "x-content-type-options", "x-request-id"}
)
# A proxy in front of us would obey these: a function could name internal files and routes of the machine.
COMMANDS = (
    "x-accel-",
    "x-sendfile",
    "x-lighttpd-",
    "x-litespeed-",
    "x-forwarded-",
    "x-original-",
    "x-rewrite-",
)
NAME = re.compile(r"[a-z0-9-]{1,64}")
VALUE = re.compile(r"[\x20-\x7e\x80-\xff]{0,2048}")


class BadAnswer(Exception):
    """The function returned something that is no answer."""


@dataclass(slots=True)
class Reply:
    """What leaves to the caller; ``error`` tells that the function called it one."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: list[tuple[str, str]] | None = None
    error: str = ""


def read(output: bytes) -> Reply:
    """The reply that ``output`` means; BadAnswer when it is not JSON or its parts are not of the right form."""
    try:
        value = orjson.loads(output)
    except orjson.JSONDecodeError as problem:
        raise BadAnswer(f"the result is not JSON: {problem}") from None
    if not isinstance(value, dict):
        return Reply(200, output)
    if "status" in value and isinstance(value["status"], int) and not isinstance(value["status"], bool):
        return full(value)
    error = value.get("error")
    return Reply(502, output, error=str(error)[:2000]) if error else Reply(200, output)


def full(value: dict[str, Any]) -> Reply:
    status = value["status"]
    if not 200 <= status <= 599:
        raise BadAnswer(f"status {str(status)[:20]} is not between 200 and 599")
    headers = clean(value.get("headers", {}))
    declared = next((text for name, text in headers if name == "content-type"), None)
    body, kind = content(value.get("body"), declared)
    if status in (204, 304):
        body = b""
    rest = [pair for pair in headers if pair[0] != "content-type"]
    return Reply(status, body, declared or kind, rest, problem(value, status))


def problem(value: dict[str, Any], status: int) -> str:
    """The text of an error: the answer's own, for any 5xx; a 4xx is the function doing its work."""
    if status < 500:
        return ""
    body = value.get("body")
    inner = body.get("error") if isinstance(body, dict) else None
    return str(value.get("error") or inner or f"the function answered {status}")[:2000]


def content(body: Any, declared: str | None) -> tuple[bytes, str]:
    """Bytes and type: text as text when it was declared as something else than JSON, base64 as binary."""
    if body is None:
        return b"", JSON
    if isinstance(body, dict) and set(body) == {"base64"} and isinstance(body["base64"], str):
        try:
            return base64.b64decode(body["base64"], validate=True), "application/octet-stream"
        except binascii.Error:
            raise BadAnswer("body.base64 is not base64") from None
    if isinstance(body, str) and declared is not None and "json" not in declared:
        return body.encode(), declared
    try:
        return orjson.dumps(body), JSON
    except orjson.JSONEncodeError:
        raise BadAnswer("body is nested too deeply") from None


def plain(value: Any) -> str:
    if isinstance(value, dict | list):
        raise BadAnswer("a header's value is not a text")
    return orjson.dumps(value).decode()


def clean(headers: Any) -> list[tuple[str, str]]:
    """The headers that a tenant's code may set; no cookies, none of ours, nothing that could split the answer."""
    if headers is None:
        return []
    if not isinstance(headers, dict):
        raise BadAnswer("headers is not an object")
    kept = []
    for name, value in headers.items():
        name, text = name.lower(), value if isinstance(value, str) else plain(value)
        if not NAME.fullmatch(name) or not VALUE.fullmatch(text):
            raise BadAnswer(f"header {name[:64]!r} has a character that headers cannot have")
        if name in ALLOWED or (name.startswith("x-") and name not in OURS and not name.startswith(COMMANDS)):
            kept.append((name, text))
    return kept
